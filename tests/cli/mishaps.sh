#!/bin/bash
# What goes wrong around the command: unreadable stores and files, outputs that are full, options that a script left
# empty, two PINs, Ctrl-C at the prompt. Nothing is lost, and nothing is taken for done.
. "$(dirname "$0")/common.sh"
with_tpm

refused "a PIN that is too short" 2 "is to have" keyscope --pin 123 init --scope user
check "has made nothing" keyscope init --scope user
check "the machine token" keyscope init --scope machine
check "a key" keyscope key create k --type p256
refused "a PIN that is too short" 2 "is to have" keyscope --pin 123 init --scope user --force
check "has destroyed nothing" keyscope key show k
KEYSCOPE_SO_PIN=1 refused "nor has the officer's" 2 "is to have" keyscope init --scope user --force

for option in "key create e --attest-by" "key create e --pcrs" "key create e --qualifying-data" "key show k --id" \
  "key show k --scope" "key certify k --nonce 01 --chain" "verify none.json --ca" "cleanup --expired --location"; do
  read -ra words <<<"$option"
  refused "left empty: $option" 2 "an empty value" keyscope "${words[@]}" ""
done
refused "a PIN behind a mistyped option" 2 "--pinfile" keyscope --pinfile secret3 key list
if grep -q secret3 out; then fail "the PIN is told"; else echo "ok   is not told"; fi
refused "nor behind one letter" 2 "no option -p" keyscope key list -psecret3
if grep -q secret3 out; then fail "the PIN is told"; else echo "ok   is not told"; fi
refused "nor one in a URI" 2 "neither" keyscope key show --uri 'pkcs12:object=k?pin-value=secret3'
if grep -q secret3 out; then fail "the PIN is told"; else echo "ok   is not told"; fi

# Outputs and inputs.
for command in "key list" "status" "key certify" "--json key list"; do
  read -ra words <<<"$command"
  full() { "$KEYSCOPE" "$@" >/dev/full; }
  got=0
  full "${words[@]}" 2>out || got=$?
  if [[ $got != 0 ]]; then echo "ok   a full disk: $command"; else fail "a full disk: $command"; fi
done
check "an AK" keyscope ak create ak --type p256
check "a key of it" keyscope key create attested --type p256 --attest-by ak
refused "evidence that cannot be printed" 1 "cannot be written" bash -c "'$KEYSCOPE' key certify attested --nonce 01 >/dev/full"
refused "a folder as evidence" 2 "$WORK cannot be read" keyscope verify "$WORK"
refused "a folder as CA" 2 "cannot be read" keyscope verify none.json --ca "$WORK"
echo none >none.pem
refused "a chain without certificates" 2 "no PEM certificates" keyscope key certify attested --nonce 01 --chain none.pem
python3 -c 'print("{\"keyscope\":" + "[" * 200000)' >deep.json
refused "deep nesting" 3 "no JSON object" keyscope verify deep.json
for ek in 0x 0xffffffffff 0x81000001 1 rsa2; do
  refused "no endorsement key: $ek" 2 "is no endorsement key" keyscope ak activate ak --credential none.pem --ek $ek
done
mkdir folder
KEYSCOPE_CONF=$WORK/folder refused "a folder as configuration" 1 "cannot be read" keyscope doctor
KEYSCOPE_CONF=$WORK/folder check "counts as absent" keyscope key show k
printf 'owner_auth = "file:%s"\n' "$WORK/folder" >folder.conf
KEYSCOPE_CONF=$WORK/folder.conf refused "a folder as authorization" 1 "cannot read" keyscope doctor
mkfifo pipe
KEYSCOPE_LOG=debug KEYSCOPE_LOG_FILE=$WORK/pipe check "a pipe as log is none" timeout 20 "$KEYSCOPE" key show k

# A certificate is there once, or not at all.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout ca.key -out ca.pem -days 2 2>/dev/null
openssl req -new -key ca.key -subj /CN=k -out k.csr 2>/dev/null
certify() { # DAYS SERIAL OUT: a certificate of the key k
  keyscope --json key show k >shown && field shown "['public_key']" >public.pem
  openssl x509 -req -in k.csr -CA ca.pem -CAkey ca.key -set_serial "$2" -force_pubkey public.pem -days "$1" -out "$3" 2>/dev/null
}
certify 1 1 valid.pem
certify -1 2 expired.pem
cat valid.pem <(sed 's/^MII/AAA/' ca.pem) >broken.pem
refused "a chain that is half broken" 2 "no certificate" keyscope key certificate k --store broken.pem
refused "is not stored by half" 1 "no token holds" keyscope key certificate k
for _ in 1 2; do check "a certificate" keyscope key certificate k --store expired.pem; done
check "stored twice" keyscope --json certificate list
if [[ $(field out "['certificates'].__len__()") == 1 ]]; then echo "ok   is there once"; else fail "not once"; fi

check "a certificate without an id" keyscope certificate delete k
if pkcs11-tool --module "$KEYSCOPE_MODULE" --slot 1 --login --pin "$KEYSCOPE_PIN" --write-object \
  <(openssl x509 -in expired.pem -outform DER) --type cert --label k >/dev/null 2>&1; then
  check "beside it" keyscope key certificate k --store expired.pem
  check "the key's own is stored" keyscope key certificate k
  for id in $(keyscope --json certificate list | python3 -c 'import json,sys; print(*[c.get("id", "none") for c in json.load(sys.stdin)["certificates"]])'); do
    [[ $id == none ]] || { check "one of them goes" keyscope certificate delete --id "$id"; }
  done
else
  echo "     (a sanitized module does not load into pkcs11-tool)"
fi
check "the key has its certificate" keyscope key certificate k --store expired.pem

# The other slot has a valid one, and cannot be read.
check "another, in the other slot" keyscope key certificate --store valid.pem --uri "tpmkms:name=k;key-scope=user;store-location=machine"
check "so the key" keyscope cleanup --expired --delete-keys --dry-run
says "stays" "stays: another certificate is for it"
cp machine/machine.db saved.db
printf 'no store at all' | dd of=machine/machine.db conv=notrunc status=none
refused "a clean-up beside an unreadable store" 1 "machine.db" keyscope cleanup --expired --delete-keys
refused "of the one slot, too" 1 "machine.db" keyscope cleanup --expired --delete-keys --location user
check "has deleted nothing" keyscope key show k
refused "an unreadable store is no empty one" 1 "machine.db" keyscope key list
refused "nor has it no certificates" 1 "machine.db" keyscope certificate list
refused "to JSON's readers either" 1 "machine.db" keyscope --json key list --scope machine
cp saved.db machine/machine.db

# An ordinary account, which has no right to the machine's store.
if can_be_nobody; then
  chmod 700 machine && mkdir nobody && chown 65534 nobody
  nobody() { as_nobody env KEYSCOPE_USER_DIR="$WORK/nobody/user" "$KEYSCOPE" "$@"; }
  check "its own token" nobody init --scope user
  check "its keys are listed" nobody key list
  says "and what is not there is told" "the machine token is not there"
  check "its certificates" nobody certificate list
  says "likewise" "the machine token is not there"
  check "they are cleaned up" nobody cleanup --expired
  says "likewise" "the machine token is not there"
  refused "but keys only where both slots are seen" 1 "the machine token is not there" nobody cleanup --expired --delete-keys
  refused "the machine's are none of its" 1 "the machine token is not there" nobody key list --scope machine
  chmod 750 machine
fi
for command in "key list" "certificate list" "cleanup --expired"; do
  read -ra words <<<"$command"
  KEYSCOPE_TCTI=swtpm:host=127.0.0.1,port=1 refused "without a TPM: $command" 1 "is not there" keyscope "${words[@]}"
done

# One PIN for two tokens.
pkcs11-tool --module "$KEYSCOPE_MODULE" --slot 0 --login --pin "$KEYSCOPE_PIN" --change-pin --new-pin 654321 >/dev/null 2>&1 ||
  echo "     (a sanitized module does not load into pkcs11-tool)"
tries() { keyscope --json status | python3 -c 'import json,sys; print(json.load(sys.stdin)["tpm"]["tries_used"])'; }
before=$(tries)
for _ in 1 2 3 4; do
  check "one slot's clean-up" keyscope cleanup --expired --dry-run --location user
  refused "an AK that is nowhere" 1 "no attestation key" keyscope key create z --attest-by nowhere
done
if [[ $(tries) == "$before" ]]; then echo "ok   spends no try of the other"; else fail "tries: $before, $(tries)"; fi

# Ctrl-C at the prompt: the terminal has its echo again.
cat >terminal.py <<'PYTHON'
import os, pty, signal, sys, termios, time
pid, terminal = pty.fork()
if pid == 0:
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[2], sys.argv[2:])
    for one in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(one, signal.SIG_IGN)
    os.waitpid(child, 0)
    os.write(1, b"echo" if termios.tcgetattr(0)[3] & termios.ECHO else b"silence")
    os._exit(0)
said = b""
while b"token: " not in said:
    said += os.read(terminal, 4096)
time.sleep(0.2)
os.write(terminal, bytes.fromhex(sys.argv[1]))
try:
    while True:
        said += os.read(terminal, 4096)
except OSError:
    pass
print(said.decode())
PYTHON
for key in 03 1c; do
  check "a key that interrupts ($key)" env -u KEYSCOPE_PIN timeout 60 python3 terminal.py $key "$KEYSCOPE" key show k
  says "the prompt names the token" "User PIN of the user token: "
  says "leaves the echo on" "echo"
done
finish
