#!/bin/bash
# pkcs11_tool_test.sh MODULE SLOT: pkcs11-tool's own test, with keys of both kinds on the token.
MODULE=$1 SLOT=$2
. "$(dirname "$0")/common.sh"

own_test() {
  as_user --test >test.log 2>&1 || { cat test.log; return 1; }
  cat test.log
  grep -q '^No errors' test.log && ! grep -E 'ERR|FAIL|failed|mismatch' test.log
}

with_tpm
init_token
check generate_rsa as_user --keypairgen --key-type rsa:2048 --id 11 --usage-sign --usage-decrypt
check generate_ec as_user --keypairgen --key-type EC:prime256v1 --id 12 --usage-sign
check pkcs11_tool_test own_test
finish
