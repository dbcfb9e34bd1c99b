#!/bin/bash
# keyscope doctor on each broken state: what it finds, and that what it says mends it does so.
# With a third argument, a file, it also writes docs/DOCTOR.md there.
DOCUMENT=${3:+$(readlink -f "$3")}
. "$(dirname "$0")/common.sh"
chmod 755 "$WORK"

document() { [[ -z $DOCUMENT ]] || cat >>"$DOCUMENT"; }
[[ -z $DOCUMENT ]] || cat >"$DOCUMENT" <<'X'
# keyscope doctor

What it says about each broken state: real output on a software TPM (`tests/cli/doctor.sh`, which also does
what it says mends them), less the checks that are ok, with the usual paths in place of the test's. `--json`
gives the same as an object. It changes nothing, and ends with 1 when it found something.
X

# finds STATE CHECK TEXT MEND COMMAND...: doctor, run by COMMAND, has a problem with CHECK, says TEXT and MEND.
finds() {
  local state=$1 check=$2 text=$3 mend=$4 problem
  shift 4
  "$@" >out 2>&1
  problem=$(awk -v RS= "/check  $check\n.*PROBLEM/" out)
  if [[ $problem == *"$text"* && $problem == *"$mend"* ]]; then
    echo "ok   $state"
  else
    fail "$state"
  fi
  {
    printf '\n## %s\n\n```\n' "${state^}"
    sed 's/^  //; /^checks:$/d; /^problems/d' <<<"$problem"
    echo '```'
  } | sed -e "s#$WORK/machine#/var/lib/keyscope#g; s#$WORK/user#~/.local/share/keyscope#g; s#$WORK/keyscope.conf#/etc/keyscope/keyscope.conf#g" \
    -e "s#$WORK/tpmrm0#/dev/tpmrm0#g; s#$WORK#<folder>#g; s#port=[0-9]*#port=2321#g" | document
}
doctor() { keyscope doctor; }
healthy() { check "healthy: $1" keyscope doctor; }

finds "missing module" module "does not load" "--module" keyscope --module "$WORK/none.so" doctor
finds "missing device" device "No such file" "modprobe" env KEYSCOPE_TCTI="device:$WORK/tpmrm0" "$KEYSCOPE" doctor
if can_be_nobody; then
  : >tpmrm0
  chmod 660 tpmrm0
  chgrp tss tpmrm0 2>/dev/null
  finds "wrong group" device "Permission denied" "usermod -aG" \
    as_nobody env KEYSCOPE_TCTI="device:$WORK/tpmrm0" "$KEYSCOPE" doctor
fi
finds "TPM that does not answer" TPM "" "tcti in keyscope.conf" env KEYSCOPE_TCTI=swtpm:host=127.0.0.1,port=1 "$KEYSCOPE" doctor
echo 'tcti = 7' >"$KEYSCOPE_CONF"
finds "wrong configuration" configuration "keyscope.conf:1" "EDITOR" env KEYSCOPE_TCTI=swtpm:host=127.0.0.1,port=1 "$KEYSCOPE" doctor
: >"$KEYSCOPE_CONF"

with_tpm
finds "token not initialised" "user token" "not initialised" "keyscope init --scope user" doctor
pkcs11-tool --module "$KEYSCOPE_MODULE" --slot 0 --init-token --label machine --so-pin $KEYSCOPE_SO_PIN >/dev/null 2>&1 ||
  echo "     (a sanitized module does not load into pkcs11-tool)"
if [[ -e machine/machine.db ]]; then
  finds "user PIN not set" "machine token" "PIN is not set" "keyscope init --pin-only --scope machine" doctor
  check "what it says sets it" keyscope init --pin-only --scope machine
else
  check "the machine token" keyscope init --scope machine
fi
check "the user token" keyscope init --scope user
check "with a key" keyscope key create k --type p256
healthy "both tokens"

if can_be_nobody; then
  finds "unreadable machine store" "machine token" "may not be searched" "usermod -aG tss" as_nobody "$KEYSCOPE" doctor
fi
chmod 777 user
finds "user store that others can write" "user token" "other accounts can write" "chmod -R go=" doctor
chmod 700 user
cp user/user.db saved.db
printf 'no store at all' | dd of=user/user.db conv=notrunc status=none
finds "damaged store" "user token" "" ".damaged" doctor
cp saved.db user/user.db
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version=99")' user/user.db
finds "store of a newer Keyscope" "user token" "use a newer one" "install a newer Keyscope" doctor
cp saved.db user/user.db
mv user/user.db elsewhere.db && ln -s ../elsewhere.db user/user.db
finds "symbolic link in a store's place" "user token" "symbolic link" "user.db.aside" doctor
rm user/user.db && mv elsewhere.db user/user.db
# A page that has lost its last entry looks like one all the same.
python3 - user/user.db <<'PYTHON'
import sqlite3, sys
page = sqlite3.connect(sys.argv[1]).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'object_by_class'").fetchone()[0]
with open(sys.argv[1], "r+b") as store:
    store.seek((page - 1) * 4096 + 3)
    entries = int.from_bytes(store.read(2), "big")
    store.seek(-2, 1)
    store.write((entries - 1).to_bytes(2, "big"))
PYTHON
finds "store that has lost an entry" "user token" "on page" ".damaged" doctor
cp saved.db user/user.db
cp user/user.db machine/user-copy.db
mv machine/machine.db saved-machine.db
mv machine/user-copy.db machine/machine.db
finds "store in the other scope's place" "machine token" "has user scope" "mv -n" doctor
mv saved-machine.db machine/machine.db
healthy "after all that"

for _ in 1 2 3 4; do keyscope --pin 999999 key list --scope user >/dev/null 2>&1; done
finds "lockout" lockout "locked out" "tpm2_dictionarylockout --clear-lockout" doctor
check "what it says ends it" tpm2_dictionarylockout -T "$KEYSCOPE_TCTI" --clear-lockout
healthy "after the lockout"

tpm2_evictcontrol -Q -T "$KEYSCOPE_TCTI" -C o -c 0x81000001
finds "missing storage root" "user token" "missing at 0x81000001" "keyscope init --storage-root" doctor
check "what it says puts it back" keyscope init --storage-root
healthy "the storage root"
check "the key is usable" keyscope key show k

tpm2_clear -Q -T "$KEYSCOPE_TCTI" -c p
finds "cleared TPM" "user token" "cleared or exchanged" "keyscope init --force --scope user" doctor
for scope in machine user; do
  check "the $scope's rows are listed" keyscope key list --offline --scope $scope
done
check "and deleted" keyscope key delete --offline --all --scope user
check "and the tokens begin anew" keyscope init --force --scope user
check "both of them" keyscope init --force --scope machine
healthy "the new tokens"
finish
