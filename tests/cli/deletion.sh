#!/bin/bash
# Deleting: with and without the TPM, and what stays.
. "$(dirname "$0")/common.sh"
with_tpm
init_both

handles() { tpm2_getcap -T "$KEYSCOPE_TCTI" handles-persistent | grep -c '^- 0x8100[89A-F]'; }
expect_handles() { if [[ $(handles) == "$2" ]]; then echo "ok   $1"; else fail "$1: $(handles) persistent keys"; fi; }

check "a key" keyscope key create plain --type p256
check "is deleted" keyscope key delete plain
refused "and cannot be deleted twice" 1 "no key 'plain'" keyscope key delete plain
check "a persistent key" keyscope key create kept --type p256 --persistent
says "in the TPM" kept
expect_handles "has its handle" 1
check "deleting it" keyscope key delete kept
expect_handles "frees the handle" 0

check "an AK" keyscope ak create ak --type p256
check "with a key" keyscope key create attested --type p256 --attest-by ak
check "the AK goes" keyscope ak delete ak
check "its key stays, with its evidence" keyscope key show attested --evidence --out e.json
check "which verifies" keyscope verify e.json
says "though the AK has gone" "the AK has been deleted"
refused "but no fresh statement is to be had" 1 "has been deleted" keyscope key certify attested --nonce 01

# A store that may not be written: the key stays whole, and so does the TPM's half.
if can_be_nobody; then
  check "a key that stays" keyscope key create stays --type p256 --persistent
  chown -R 65534 user && chmod 500 user && chmod 400 user/*
  refused "in a store that is read-only" 1 CKR_TOKEN_WRITE_PROTECTED as_nobody "$KEYSCOPE" key delete stays
  refused "also offline" 1 "" as_nobody "$KEYSCOPE" key delete stays --offline
  expect_handles "its handle stays" 1
  check "and it is wholly there" as_nobody "$KEYSCOPE" key show stays
  chown -R 0 user && chmod 700 user && chmod 600 user/*
  check "until it may be written" keyscope key delete stays
  expect_handles "then it goes" 0
else
  echo "     (not root, or the folder is closed to others: a read-only store is not tried)"
fi

check "a machine key" keyscope key create far --scope machine --type p256 --persistent
check "a neighbour" keyscope key create near --scope machine --type p256
stop_swtpm
refused "without a TPM there is no login" 1 "CKR_TOKEN_NOT_PRESENT" keyscope key delete near --scope machine
check "the rows are listed offline" keyscope key list --offline --scope machine
says "with the private key's name" "far"
check "a key is deleted offline" keyscope key delete near --offline --scope machine
says "both halves of it" "objects  2"
refused "one that the TPM holds leaves an erase behind" 1 "still holds the key" keyscope key delete far --offline --scope machine
refused "which waits for the TPM" 1 "still pending" keyscope erase-pending
check "the status tells" keyscope status
says "of the pending erase" "pending erases  1"
with_tpm
expect_handles "the TPM still holds it" 1
check "now it is erased" keyscope erase-pending
expect_handles "and gone" 0
check "nothing is pending" keyscope status
says "any more" "pending erases  0"
refused "a row that is not there" 1 "no such row" keyscope key delete --offline --scope machine --row 999
# What is named goes, and nothing else.
tool() { pkcs11-tool --module "$KEYSCOPE_MODULE" --slot 1 --login --pin "$KEYSCOPE_PIN" "$@" >/dev/null 2>&1; }
check "an AK" keyscope ak create vouching --type p256
check "a key" keyscope key create data --type p256
refused "an id is not known offline" 2 "knows no ids" keyscope key delete data --id 01 --offline
refused "nor by a URI" 2 "knows no ids" keyscope key delete --uri 'pkcs11:object=data;id=%01;slot-id=1' --offline
refused "two ways to choose" 2 "NAME, --row or --all" keyscope key delete data --all --offline
refused "a row that is not there beside one" 1 "no such row" keyscope key delete --row 1 --row 9999 --offline
refused "an AK is no key" 1 "no such row has the name" keyscope key delete vouching --offline
refused "a key is no AK" 1 "no such row has the name" keyscope ak delete data --offline
refused "names are not listed offline" 2 "every row" keyscope key list --offline --uri pkcs11:object=data
if printf 'x' >data && tool --write-object data --type data --label data; then
  for id in 01 02; do tool --keypairgen --key-type EC:prime256v1 --label twins --id $id; done
  tool --keypairgen --key-type EC:prime256v1 --label no-id
  refused "which of two of one name" 1 "several keys have the name" keyscope key delete twins --offline
  check "a key without CKA_ID" keyscope key delete no-id
  says "goes with its public half" "objects  2"
else
  echo "     (a sanitized module does not load into pkcs11-tool)"
fi
check "an AK by its name" keyscope ak delete vouching --offline
says "both halves of it" "objects  2"
check "a key by its name" keyscope key delete data --offline
says "both halves of it, not the data" "objects  2"
# A token without a PIN wants no login, but its keys' records are sealed by the TPM all the same.
check "a token without a PIN" keyscope init --scope machine --force --no-pin
check "with a key" env -u KEYSCOPE_PIN "$KEYSCOPE" key create open --scope machine --type p256
stop_swtpm
refused "whose TPM is gone" 1 CKR_TOKEN_NOT_PRESENT keyscope key delete open --scope machine
check "is deleted offline" keyscope key delete open --scope machine --offline
with_tpm
check "another key" keyscope key create open --scope machine --type p256
tpm2_clear -Q -T "$KEYSCOPE_TCTI" -c p
refused "whose TPM was cleared" 1 "cleared" keyscope key delete open --scope machine
check "is deleted offline, too" keyscope key delete open --scope machine --offline
says "both halves" "objects  2"
check "everything goes" keyscope key delete --offline --scope user --all
check "and the store is empty" keyscope key list --offline --scope user
if [[ ! -s out ]]; then echo "ok   nothing is listed"; else fail "something is left"; fi
finish
