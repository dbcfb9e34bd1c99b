#!/bin/bash
# p11kit.sh MODULE SLOT bare|abrmd: the module registered with p11-kit by a .module file; programs that know
# p11-kit or its proxy find the token without being told of the module.
. "$(dirname "$0")/registry.sh"
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need p11-kit
PROXY=$(find /usr/lib -name p11-kit-proxy.so | head -1)
[[ -f $PROXY ]] || skip "p11-kit-proxy.so is not installed"

URI="pkcs11:token=$LABEL"
through_proxy() { pkcs11-tool --module "$PROXY" --token-label "$LABEL" --login --pin "$USERPIN" "$@"; }
sign() {
  through_proxy --sign -m ECDSA-SHA256 --signature-format openssl --id 61 -i message -o signature &&
    through_proxy --read-object --type pubkey --id 61 -o key.der &&
    openssl pkey -pubin -inform DER -in key.der -out key.pem &&
    openssl dgst -sha256 -verify key.pem -signature signature message
}
generate() {
  through_proxy --keypairgen --key-type rsa:2048 --id 62 --label r1 --usage-sign &&
    says 'object=r1;type=private' command p11tool --login --list-privkeys "$URI"
}
test_sign() { command p11tool --login --test-sign "$URI;object=e1;type=private"; }

with_tpm
init_token
as_user --keypairgen --key-type EC:prime256v1 --id 61 --label e1 --usage-sign >/dev/null 2>&1
echo 'a message' >message
register || exit 1

check list_modules says "token: $LABEL" p11-kit list-modules
check list_tokens says "URL: pkcs11:model=.*token=$LABEL" command p11tool --list-tokens
check test_sign test_sign
check proxy_sign sign
check proxy_generate generate
finish
