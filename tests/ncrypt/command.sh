#!/bin/bash
# command.sh KEYSCOPE MODULE BUILD_FOLDER: keyscope.exe under Wine with the double, all its ways through both scopes; and
# that the provider has each key where its scope says, and in the end none.
. "$(dirname "$0")/../cli/common.sh"
BUILD=$3
for name in CONF MACHINE_DIR USER_DIR; do # as Windows writes paths
  variable=KEYSCOPE_$name value=
  value=Z:${!variable//\//\\}
  export "$variable=$value"
done
unset KEYSCOPE_MODULE # the one beside the command
export KEYSCOPE_DOUBLE_DIR=Z:${WORK//\//\\}
keyscope() { "$HERE/../fakes/ncrypt/with_double.sh" "$BUILD" "$KEYSCOPE" "$@"; }

key_files() { find "$1" -name '*.PCPKEY' 2>/dev/null | wc -l; }
# has_keys NAME MACHINE USER: so many keys of the machine, and of the account.
has_keys() {
  local found
  found="$(key_files ProgramData/Microsoft/Crypto/PCPKSP) $(key_files Users/Administrator/AppData/Local/Microsoft/Crypto/PCPKSP)"
  if [[ $found == "$2 $3" && $(key_files .) == $(($2 + $3)) ]]; then
    echo "ok   $1"
  else
    echo "FAIL $1: the provider has $found keys of the machine and of the account, not $2 $3"
    FAILED=$((FAILED + 1))
  fi
}

refused "nothing is initialised" 1 "keyscope init --scope machine" keyscope doctor
init_both
has_keys "a PIN is none of the provider's named keys" 0 0
check "doctor finds nothing wrong" keyscope doctor

make() { # SCOPE
  check "$1: an AK" keyscope ak create "ak-$1" --scope "$1"
  for type in rsa2048 p256 p384; do
    check "$1: a key, $type" keyscope key create $type --scope "$1" --type $type
  done
  check "$1: a key that the AK attests" keyscope key create attested --scope "$1" --type p256 \
    --attest-by "ak-$1" --qualifying-data c0ffee
}
make machine
has_keys "all are in the folder of the machine" 5 0
make user
has_keys "and of the account" 5 5
for scopes in "machine user" "user machine"; do
  read -r of_key of_ak <<<"$scopes"
  refused "the $of_ak's AK for a key of the $of_key" 1 "'ak-$of_ak' has $of_ak scope" \
    keyscope key create x --scope "$of_key" --attest-by "ak-$of_ak"
done
has_keys "they leave nothing" 5 5

for scope in machine user; do
  check "$scope: they are listed" keyscope key list --scope $scope
  for name in rsa2048 p256 p384 attested; do says "$name" "object=$name;"; done
  check "$scope: one is shown" keyscope key show p256 --scope $scope
  says "with its public key" "BEGIN PUBLIC KEY"
  check "$scope: the evidence of its birth" keyscope key show attested --scope $scope --evidence --out birth.json
  check "verifies" keyscope verify birth.json --nonce c0ffee
  says "for what it proves" "the AK signed the statement"
  says "and not for the scope, which the provider does not bind" "the scope was not checked"
  refused "$scope: so it is not said to" 3 "was made in $scope scope" keyscope verify birth.json --scope $scope
  check "$scope: certified again" keyscope key certify attested --scope $scope --nonce 0102 --out fresh.json
  check "verifies with its nonce" keyscope verify fresh.json --nonce 0102
  refused "and no other" 3 "it answers another: 0102" keyscope verify fresh.json --nonce 0103
  check "$scope: a quote" keyscope quote "ak-$scope" --scope $scope --nonce 0a0b --pcrs sha256:0,7 --out quote.json
  check "verifies, too" keyscope verify "$PWD/quote.json" --nonce 0a0b
done

check "the status" keyscope status
says "has the TPM" "model         Double"
says "the storage root" "storage root"
if grep -q tcti out; then fail "a TCTI on Windows"; else echo "ok   and no TCTI"; fi

refused "a wrong PIN" 1 "the PIN is wrong -> CKR_PIN_INCORRECT" keyscope --pin 000000 key list
KEYSCOPE_LOG=warn keyscope --pin 000000 key list --scope user >out 2>&1
says "the log names the command of Windows" "powershell Unblock-Tpm"
check "each is a try" keyscope status
says "that the TPM counts" "tries used    3" # the first one of both tokens
export KEYSCOPE_DOUBLE_RIGHTS=user
refused "a key of the machine without rights" 1 "made by administrators and SYSTEM -> CKR_ACTION_PROHIBITED" \
  keyscope key create x --scope machine
unset KEYSCOPE_DOUBLE_RIGHTS
has_keys "is not made" 5 5

export KEYSCOPE_DOUBLE_FAULT=NCryptDeleteKey:1:80090020
refused "the provider does not delete" 1 "still holds the key" keyscope key delete p256 --scope machine
unset KEYSCOPE_DOUBLE_FAULT
has_keys "so the key is there" 5 5
check "the status" keyscope status
says "tells" "pending erases  1"
check "it is erased" keyscope erase-pending
has_keys "later" 4 5
refused "and no longer listed" 1 "no key 'p256'" keyscope key show p256 --scope machine

# A store that is lost, or an old copy: the provider has keys of which it knows nothing.
cp user/user.db old.db
check "a later key" keyscope key create later --scope user --type p256
mv user/user.db new.db
cp old.db user/user.db
refused "an old store has come back" 1 "keyscope erase-pending --orphans user" keyscope doctor
says "without a key of the provider's" "knows nothing of 1 that the provider has: keyscope-"
cp new.db user/user.db
check "the newer one has it" keyscope doctor
mv user/user.db new.db
refused "none is there" 1 "knows nothing of 6" keyscope doctor
mv new.db user/user.db
cp user/user.db new.db
cp old.db user/user.db
check "an orphan is erased" keyscope erase-pending --orphans user
says "and told" "orphans erased  1"
has_keys "no other is" 4 5
check "doctor is content" keyscope doctor

for scope in machine user; do
  for name in rsa2048 p256 p384 attested; do
    [[ $scope-$name == machine-p256 ]] || check "$scope: $name is deleted" keyscope key delete $name --scope $scope
  done
  check "$scope: the AK is deleted" keyscope ak delete "ak-$scope" --scope $scope
done
has_keys "nothing is left" 0 0
check "neither in the stores" keyscope status
if [[ $(grep -c "objects         0" out) == 2 ]]; then echo "ok   both are empty"; else fail "objects are left"; fi
if [[ $(grep -c "pending erases  0" out) == 2 ]]; then echo "ok   nothing is pending"; else fail "something is pending"; fi
check "doctor finds nothing wrong" keyscope doctor

for _ in 1 2 3; do keyscope --pin 000000 key list --scope user >/dev/null 2>&1; done
refused "too many wrong PINs" 1 "CKR_PIN_LOCKED" keyscope key list --scope user
says "are told with what ends it" "ends with time or by powershell Unblock-Tpm"
refused "doctor" 1 "powershell Unblock-Tpm" keyscope doctor
finish
