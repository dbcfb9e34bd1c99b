#!/bin/bash
# main_job.sh MODULE SLOT bare|abrmd: pkcs11-tool and p11tool initialise a token, generate RSA and EC keys in
# the TPM, and use them again after the TPM was shut down and started; OpenSSL verifies.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"

public_key() { # ID NAME
  as_user --read-object --type pubkey --id "$1" -o "$2.der" &&
    openssl pkey -pubin -inform DER -in "$2.der" -out "$2.pem"
}
sign_rsa() {
  as_user --sign -m SHA256-RSA-PKCS --id 11 -i message -o rsa.sig &&
    openssl dgst -sha256 -verify rsa.pem -signature rsa.sig message
}
sign_ec() {
  as_user --sign -m ECDSA-SHA256 --signature-format openssl --id 12 -i message -o ec.sig &&
    openssl dgst -sha256 -verify ec.pem -signature ec.sig message
}
decrypt() {
  openssl pkeyutl -encrypt -pubin -inkey rsa.pem -in message -out cipher &&
    as_user --decrypt -m RSA-PKCS --id 11 -i cipher -o plain && cmp message plain
}
decrypt_oaep() {
  openssl pkeyutl -encrypt -pubin -inkey rsa.pem -pkeyopt rsa_padding_mode:oaep \
    -pkeyopt rsa_oaep_md:sha256 -in message -out cipher &&
    as_user --decrypt -m RSA-PKCS-OAEP --hash-algorithm SHA256 --mgf MGF1-SHA256 --id 11 -i cipher \
      -o plain && cmp message plain
}
p11tool_key() { # TYPE LABEL OPTIONS...
  local type=$1 label=$2
  shift 2
  p11tool --login --generate-privkey="$type" "$@" --label "$label" "$TOKEN" --outfile "$label.pub" &&
    openssl pkey -pubin -in "$label.pub" -noout
}
p11tool_sign() { p11tool --login --test-sign "$TOKEN;object=$1;type=private"; }

with_tpm
echo 'a message' >message
TOKEN="pkcs11:token=$LABEL"

check init_token pkcs11 --init-token --label "$LABEL" --so-pin "$SOPIN"
check init_pin pkcs11 --login --login-type so --so-pin "$SOPIN" --init-pin --pin "$USERPIN"
check generate_rsa as_user --keypairgen --key-type rsa:2048 --id 11 --usage-sign --usage-decrypt
check generate_ec as_user --keypairgen --key-type EC:prime256v1 --id 12 --usage-sign
check p11tool_generate_rsa p11tool_key rsa g-rsa --bits 2048
check p11tool_generate_ec p11tool_key ecdsa g-ec --curve secp256r1
check read_rsa public_key 11 rsa
check read_ec public_key 12 ec

for round in first after_restart; do
  check "${round}_sign_rsa" sign_rsa
  check "${round}_sign_ec" sign_ec
  check "${round}_decrypt" decrypt
  check "${round}_decrypt_oaep" decrypt_oaep
  check "${round}_p11tool_sign_rsa" p11tool_sign g-rsa
  check "${round}_p11tool_sign_ec" p11tool_sign g-ec
  [[ $round != first ]] || restart_tpm
done

check delete as_user --delete-object --type privkey --id 12
check deleted_key_is_gone says 'not found' as_user --sign -m ECDSA-SHA256 --id 12 -i message -o ec.sig

# The other way to initialise, which also destroys what the token held.
check p11tool_initialize p11tool --initialize --label "$LABEL" --set-so-pin="$SOPIN" "$TOKEN"
check p11tool_initialize_pin p11tool --initialize-pin --set-pin="$USERPIN" --set-so-pin="$SOPIN" "$TOKEN"
check initialised_token_is_empty says 'No matching objects' p11tool --login --list-privkeys "$TOKEN"
check p11tool_generate_again p11tool_key ecdsa g-ec --curve secp256r1
check p11tool_sign_again p11tool_sign g-ec
finish
