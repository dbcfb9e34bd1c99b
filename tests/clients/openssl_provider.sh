#!/bin/bash
# openssl_provider.sh MODULE SLOT bare|abrmd: OpenSSL whose own configuration loads pkcs11-provider with the
# module, without its no-deinit quirk. An OpenSSL without that configuration checks what it made.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
PROVIDER=$(openssl version -m | sed 's/.*"\(.*\)"/\1/')/pkcs11.so
[[ -f $PROVIDER ]] || skip "pkcs11-provider (Debian 12: bookworm-backports) is not installed"

with_provider() { OPENSSL_CONF=$WORK/openssl.cnf openssl "$@"; }
private_key() { echo "pkcs11:token=$LABEL;object=$1;type=private"; }
public_key() {
  as_user --read-object --type pubkey --label "$1" -o "$1.der" &&
    openssl pkey -pubin -inform DER -in "$1.der" -out "$1.pub"
}

store() {
  with_provider storeutl -keys "pkcs11:token=$LABEL" >list && cat list &&
    (($(grep -c 'Pkey' list) >= 2))
}
sign() { # KEY OPTIONS...
  local key=$1
  shift
  with_provider dgst -sha256 -sign "$(private_key "$key")" "$@" -out "$key.sig" message &&
    openssl dgst -sha256 -verify "$key.pub" "$@" -signature "$key.sig" message
}
PSS=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest)
decrypt() { # OPTIONS...
  openssl pkeyutl -encrypt -pubin -inkey rsa.pub "$@" -in message -out cipher &&
    with_provider pkeyutl -decrypt -inkey "$(private_key rsa)" "$@" -in cipher -out plain &&
    cmp message plain
}
# Without rsa_mgf1_md the provider names no mask generation function at all.
OAEP=(-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256)
derive() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out peer.key &&
    openssl pkey -in peer.key -pubout -out peer.pub &&
    with_provider pkeyutl -derive -inkey "$(private_key ec)" -peerkey peer.pub -out ours &&
    openssl pkeyutl -derive -inkey peer.key -peerkey ec.pub -out theirs && cmp ours theirs
}
generate() {
  with_provider genpkey -propquery provider=pkcs11 -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -pkeyopt "pkcs11_uri:pkcs11:token=$LABEL;object=generated" -out generated.pem &&
    public_key generated && with_provider dgst -sha256 -sign generated.pem -out generated.sig message &&
    openssl dgst -sha256 -verify generated.pub -signature generated.sig message
}
self_signed() { # KEY
  with_provider req -x509 -new -key "$(private_key "$1")" -subj /CN=localhost -days 30 \
    -addext keyUsage=digitalSignature,keyEncipherment,keyAgreement,keyCertSign -out "$1.pem" &&
    openssl verify -check_ss_sig -CAfile "$1.pem" "$1.pem"
}
cms_sign() { # KEY
  with_provider cms -sign -signer "$1.pem" -inkey "$(private_key "$1")" -in message -out "$1.cms" &&
    openssl cms -verify -in "$1.cms" -CAfile "$1.pem" -purpose any -out plain &&
    diff --strip-trailing-cr message plain
}
cms_decrypt() { # KEY
  openssl cms -encrypt -aes256 -in message -out "$1.sealed" "$1.pem" &&
    with_provider cms -decrypt -recip "$1.pem" -inkey "$(private_key "$1")" -in "$1.sealed" -out plain &&
    diff --strip-trailing-cr message plain
}
# The server's key and the client's are both in the token; each side asks for the other's certificate.
tls() { # SERVER_KEY CLIENT_KEY OPTIONS...
  local server=$1 client=$2 port status
  shift 2
  port=$(free_port)
  with_provider s_server -accept "127.0.0.1:$port" -cert "$server.pem" -key "$(private_key "$server")" \
    -CAfile "$client.pem" -Verify 1 -verify_return_error -www >server.log 2>&1 &
  wait_for 10 port_open "$port"
  printf 'GET / HTTP/1.0\r\n\r\n' | OPENSSL_CONF=$WORK/openssl.cnf timeout 20 openssl s_client \
    -connect "127.0.0.1:$port" -cert "$client.pem" -key "$(private_key "$client")" \
    -CAfile "$server.pem" -verify_return_error -ign_eof "$@" >client.log 2>&1
  status=$?
  kill %% && wait %%
  cat client.log server.log
  ((status == 0)) && grep -q 'Verify return code: 0' client.log && grep -q 'HTTP/1.0 200' client.log
}

with_tpm
init_token
as_user --keypairgen --key-type rsa:2048 --id 41 --label rsa --usage-sign --usage-decrypt >/dev/null 2>&1
as_user --keypairgen --key-type EC:prime256v1 --id 42 --label ec --usage-sign --usage-derive >/dev/null 2>&1
echo 'a message' >message
echo -n "$USERPIN" >pin
cat >openssl.cnf <<EOF
openssl_conf = init
[init]
providers = providers
[providers]
default = default_sect
pkcs11 = pkcs11_sect
[default_sect]
activate = 1
[pkcs11_sect]
module = $PROVIDER
pkcs11-module-path = $MODULE
pkcs11-module-token-pin = file:$WORK/pin
pkcs11-module-encode-provider-uri-to-pem = true
activate = 1
[req]
distinguished_name = dn
[dn]
EOF

check public_key_rsa public_key rsa
check public_key_ec public_key ec
check store store
check sign_rsa sign rsa
check sign_pss sign rsa "${PSS[@]}"
check sign_ec sign ec
check decrypt decrypt
check decrypt_oaep decrypt "${OAEP[@]}"
check derive derive
check generate generate
for key in rsa ec; do
  check "self_signed_$key" self_signed "$key"
  check "cms_sign_$key" cms_sign "$key"
  check "cms_decrypt_$key" cms_decrypt "$key"
done
for version in -tls1_2 -tls1_3; do
  check "rsa_server_ec_client$version" tls rsa ec "$version"
  check "ec_server_rsa_client$version" tls ec rsa "$version"
done
finish
