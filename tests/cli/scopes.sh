#!/bin/bash
# AK {machine, user} x key {machine, user, unset} x {RSA, EC}: made or refused as the rules say, nothing left
# behind where refused, and read back after a restart.
. "$(dirname "$0")/common.sh"
with_tpm
init_both

count() { keyscope --json status >status && field status "['tokens'][$1]['objects']"; }
made=()
for ak in machine user; do
  check "an AK of the $ak" keyscope ak create --uri "tpmkms:name=ak-$ak;ak=true;key-scope=$ak"
  says "whose URI keeps the scope" "tpmkms:name=ak-$ak;ak=true;key-scope=$ak"
done
for ak in machine user; do
  for key in machine user unset; do
    for type in rsa2048 p256; do
      name=k-$ak-$key-$type
      uri="tpmkms:name=$name;attest-by=ak-$ak" scope=$key
      if [[ $key == unset ]]; then scope=user; else uri+=";key-scope=$key"; fi
      before="$(count 0) $(count 1)"
      if [[ $ak == "$scope" ]]; then
        check "$ak AK, $key key, $type: made" keyscope key create --uri "$uri" --type $type
        says "its URI keeps the scope" "tpmkms:name=$name;attest-by=ak-$ak;key-scope=$scope"
        made+=("$name:$scope:ak-$ak")
      else
        refused "$ak AK, $key key, $type: refused" 1 "inherit the scope of their attestation key" \
          keyscope key create --uri "$uri" --type $type
        says "and told which scope the AK has" "has $ak scope"
        if [[ "$(count 0) $(count 1)" == "$before" ]]; then echo "ok   nothing is left"; else fail "left behind"; fi
      fi
    done
  done
done
check "the store location derives the scope" keyscope key create --uri "tpmkms:name=by-location;store-location=machine" --type p256
says "and is printed" "tpmkms:name=by-location;key-scope=machine;store-location=machine"
refused "a name that is taken" 1 "already exists" keyscope key create by-location --scope machine
check "the same name in the other scope" keyscope key create by-location --scope user --type p256
refused "no such AK" 1 "no attestation key 'none'" keyscope key create x --attest-by none
refused "an AK by an AK" 2 "exclude each other" keyscope ak create --uri "tpmkms:name=x;ak=true;attest-by=ak-user"
refused "any other scope" 2 "machine or user" keyscope key create --uri "tpmkms:name=x;key-scope=both"
refused "none, where one is named" 2 "an empty value" keyscope key create x --scope ""

restart_tpm
for one in "${made[@]}"; do
  IFS=: read -r name scope ak <<<"$one"
  check "after a restart: $name" keyscope --json key show "$name" --scope "$scope"
  says "has its scope" "\"scope\": \"$scope\""
  says "and its AK" "\"attested_by\": \"$ak\""
  check "its evidence proves the scope" bash -c "'$KEYSCOPE' key show $name --scope $scope --evidence | '$KEYSCOPE' verify - --scope $scope"
done
check "the keys of an AK" keyscope --json key list --attested-by ak-machine
says "are those that it attests" k-machine-machine-rsa2048
keyscope --json key list --attested-by ak-machine >list
if [[ $(field list "['keys'].__len__()") == 2 ]]; then echo "ok   and no others"; else fail "others"; fi
check "the same by a URI" keyscope --json key list --uri "tpmkms:attest-by=ak-machine;key-scope=machine"
if cmp -s <(field out "['keys'].__len__()") <(echo 2); then echo "ok   finds them"; else fail "others"; fi
check "one by its name" keyscope --json key list --uri "pkcs11:object=k-machine-machine-p256"
if cmp -s <(field out "['keys'].__len__()") <(echo 1); then echo "ok   finds one"; else fail "others"; fi
check "found by its token" keyscope key show --uri "pkcs11:token=machine;object=by-location"
says "in the machine scope" "scope "
refused "a token that is not there" 1 "no token is as the URI says" keyscope key show --uri "pkcs11:token=none;object=by-location"

# The PIN of one token is tried on the other once, not in each run.
tries() { tpm2_getcap -T "$KEYSCOPE_TCTI" properties-variable | sed -n 's/^TPM2_PT_LOCKOUT_COUNTER: *//p'; }
KEYSCOPE_PIN=654321 check "a user token with another PIN" keyscope init --scope user --force
for run in 1 2 3; do
  keyscope key list >out 2>&1 || true
  refused "an AK that is in neither, $run" 1 "no attestation key 'none'" \
    keyscope key create x --scope machine --attest-by none
done
check "the keys of the machine" keyscope key list
says "and why there are no others" "last PIN was wrong"
if [[ $(tries) == 0x1 ]]; then echo "ok   one try is spent"; else fail "$(tries) tries are spent"; fi
refused "who names the scope has another try" 1 CKR_PIN_INCORRECT keyscope key list --scope user
KEYSCOPE_PIN=654321 check "with the right one" keyscope key list --scope user
finish
