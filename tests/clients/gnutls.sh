#!/bin/bash
# gnutls.sh MODULE SLOT bare|abrmd: certtool, gnutls-serv and gnutls-cli with keys of the token, TLS 1.2 and 1.3,
# both sides authenticated; and p11-kit's remoting. OpenSSL checks what certtool made.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need certtool gnutls-serv gnutls-cli p11-kit

TOKEN="pkcs11:token=$LABEL"
private_key() { echo "$TOKEN;object=$1;type=private"; }
with_key() { # KEY OPTIONS...
  local key=$1
  shift
  certtool --provider "$MODULE" --template certificate.cfg --load-privkey "$(private_key "$key")" \
    --load-pubkey "$TOKEN;object=$key;type=public" "$@"
}
self_signed() { # KEY
  with_key "$1" --generate-self-signed --outfile "$1.pem" &&
    openssl verify -check_ss_sig -CAfile "$1.pem" "$1.pem"
}
request() { # KEY
  with_key "$1" --generate-request --outfile "$1.csr" && openssl req -in "$1.csr" -noout -verify
}
write_certificate() { # KEY
  p11tool --login --write --load-certificate "$1.pem" --label "$1" "$TOKEN" &&
    p11tool --export "$TOKEN;object=$1;type=cert" >back.pem &&
    cmp <(openssl x509 -in "$1.pem" -outform DER) <(openssl x509 -in back.pem -outform DER)
}
# The server's key is in the token, and so is the client's.
tls() { # SERVER_KEY CLIENT_KEY VERSION
  local server=$1 client=$2 port status
  port=$(free_port)
  gnutls-serv --echo --port "$port" --priority "NORMAL:-VERS-ALL:+VERS-$3" --provider "$MODULE" \
    --x509keyfile "$(private_key "$server")" --x509certfile "$server.pem" --require-client-cert \
    --verify-client-cert --x509cafile "$client.pem" >server.log 2>&1 &
  wait_for 10 port_open "$port"
  (echo ping; sleep 1) | timeout 20 gnutls-cli --provider "$MODULE" --port "$port" \
    --x509cafile "$server.pem" --x509keyfile "$(private_key "$client")" --x509certfile "$client.pem" \
    localhost >client.log 2>&1
  status=$?
  kill %% && wait %%
  cat client.log server.log
  ((status == 0)) && grep -q 'Handshake was completed' client.log && grep -q "$3" client.log &&
    grep -q '^ping' client.log
}
# p11-kit's server loses a race with its first client now and then, with any module.
remote() {
  local try
  for try in {1..8}; do remote_once && return; done
  return 1
}
remote_once() {
  local client
  client=$(find /usr/lib -name p11-kit-client.so | head -1)
  p11-kit server --provider "$MODULE" -n "$WORK/p11.socket" "$TOKEN" >server.env || return
  . ./server.env
  openssl dgst -sha256 -binary -out digest message
  # p11-kit 0.24 hands on no mechanism that hashes and signs with an EC key.
  pkcs11-tool --module "$client" --login --pin "$USERPIN" --sign -m ECDSA \
    --signature-format openssl --id 72 -i digest -o signature
  local status=$?
  kill "$P11_KIT_SERVER_PID"
  rm -f "$WORK/p11.socket"
  ((status == 0)) && openssl dgst -sha256 -verify <(openssl x509 -in ec.pem -pubkey -noout) \
    -signature signature message
}

with_tpm
init_token
as_user --keypairgen --key-type rsa:2048 --id 71 --label rsa --usage-sign --usage-decrypt >/dev/null 2>&1
as_user --keypairgen --key-type EC:prime256v1 --id 72 --label ec --usage-sign >/dev/null 2>&1
echo 'a message' >message
cat >certificate.cfg <<'EOF'
cn = "localhost"
dns_name = "localhost"
serial = 7
expiration_days = 30
signing_key
encryption_key
tls_www_server
tls_www_client
ca
cert_signing_key
EOF

for key in rsa ec; do
  check "self_signed_$key" self_signed "$key"
  check "request_$key" request "$key"
  check "write_certificate_$key" write_certificate "$key"
done
check remoting remote
# Server and client are alive at the same time.
[[ $RESOURCE_MANAGER == abrmd ]] || finish
for version in TLS1.2 TLS1.3; do
  check "rsa_server_ec_client_$version" tls rsa ec "$version"
  check "ec_server_rsa_client_$version" tls ec rsa "$version"
done
finish
