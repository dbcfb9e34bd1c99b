#!/bin/bash
# engine.sh MODULE SLOT bare|abrmd: OpenSSL, nginx with two workers and curl through libp11's engine. A killed
# nginx breaks nothing, and nothing counts as a wrong PIN. OpenSSL without the engine checks what it made.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need nginx curl
[[ -f $(openssl version -e | sed 's/.*"\(.*\)"/\1/')/pkcs11.so ]] ||
  skip "libengine-pkcs11-openssl is not installed"

ENGINE=(-engine pkcs11 -keyform engine)
with_engine() { OPENSSL_CONF=$WORK/openssl.cnf openssl "$@"; }
private_key() { echo "pkcs11:token=$LABEL;object=$1;type=private"; }
public_key() {
  as_user --read-object --type pubkey --label "$1" -o "$1.der" &&
    openssl pkey -pubin -inform DER -in "$1.der" -out "$1.pub"
}

sign() { # KEY
  with_engine dgst "${ENGINE[@]}" -sha256 -sign "$(private_key "$1")" -out "$1.sig" message &&
    openssl dgst -sha256 -verify "$1.pub" -signature "$1.sig" message
}
decrypt() {
  openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in message -out cipher &&
    with_engine pkeyutl "${ENGINE[@]}" -decrypt -inkey "$(private_key rsa)" -in cipher -out plain &&
    cmp message plain
}
self_signed() { # KEY
  with_engine req -x509 -new "${ENGINE[@]}" -key "$(private_key "$1")" -subj /CN=localhost -days 30 \
    -addext subjectAltName=DNS:localhost -out "$1.pem" &&
    openssl verify -check_ss_sig -CAfile "$1.pem" "$1.pem"
}
cms_sign() { # KEY
  with_engine cms -sign "${ENGINE[@]}" -signer "$1.pem" -inkey "$(private_key "$1")" -in message \
    -out "$1.cms" &&
    openssl cms -verify -in "$1.cms" -CAfile "$1.pem" -purpose any -out plain &&
    diff --strip-trailing-cr message plain
}
s_server() { # KEY OPTIONS...
  local key=$1 port
  shift
  port=$(free_port)
  with_engine s_server "${ENGINE[@]}" -key "$(private_key "$key")" -cert "$key.pem" \
    -accept "127.0.0.1:$port" -www >server.log 2>&1 &
  wait_for 10 port_open "$port"
  curl --silent --show-error --cacert "$key.pem" "$@" "https://localhost:$port/" | grep -o 'Protocol  *: .*'
  local status=$?
  kill %% && wait %%
  return "$status"
}

# A process group of its own. The workers are children of a master that has loaded the keys: they run in a
# forked copy of the module.
start_nginx() {
  mkdir -p nginx
  cat >nginx.conf <<EOF
worker_processes 2;
daemon off;
user $(id -un);
pid $WORK/nginx/pid;
error_log $WORK/nginx/error.log info;
env HOME; env XDG_DATA_HOME; env OPENSSL_CONF; env DBUS_SESSION_BUS_ADDRESS;
env KEYSCOPE_CONF; env KEYSCOPE_TCTI; env KEYSCOPE_MACHINE_DIR; env KEYSCOPE_USER_DIR;
env KEYSCOPE_LOG; env KEYSCOPE_LOG_FILE;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path nginx/body; proxy_temp_path nginx/proxy; fastcgi_temp_path nginx/fastcgi;
  uwsgi_temp_path nginx/uwsgi; scgi_temp_path nginx/scgi;
  server {
    listen 127.0.0.1:$PORT ssl reuseport;
    ssl_certificate $WORK/rsa.pem;
    ssl_certificate_key "engine:pkcs11:$(private_key rsa)";
    ssl_certificate $WORK/ec.pem;
    ssl_certificate_key "engine:pkcs11:$(private_key ec)";
    ssl_client_certificate $WORK/clients.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client optional;
    ssl_session_cache off;
    ssl_session_tickets off;
    location / { return 200 "worker \$pid, client \$ssl_client_verify\n"; }
  }
}
EOF
  OPENSSL_CONF=$WORK/openssl.cnf setsid nginx -p "$WORK" -c nginx.conf -e nginx/error.log >nginx.log 2>&1 &
  NGINX_PID=$!
  wait_for 10 port_open "$PORT" || { cat nginx.log nginx/error.log; return 1; }
}
stop_nginx() { # SIGNAL
  [[ -n $NGINX_PID ]] || return 0
  kill "-$1" -- "-$NGINX_PID" && wait "$NGINX_PID"
  NGINX_PID=''
}
request() { curl --silent --show-error --cacert clients.pem "$@" "https://localhost:$PORT/"; }
# 40 requests, 4 at a time, half of them to either key; both workers answer.
requests() {
  local i pids
  rm -f answer.*
  for ((i = 0; i < 40; i += 4)); do
    pids=()
    request --tls-max 1.2 --ciphers ECDHE-RSA-AES256-GCM-SHA384 >"answer.$i" 2>&1 & pids+=($!)
    request --tls-max 1.2 --ciphers ECDHE-ECDSA-AES256-GCM-SHA384 >"answer.$((i + 1))" 2>&1 & pids+=($!)
    request --tlsv1.3 >"answer.$((i + 2))" 2>&1 & pids+=($!)
    request --tlsv1.3 --curves P-256 >"answer.$((i + 3))" 2>&1 & pids+=($!)
    wait "${pids[@]}"
  done
  cat answer.* nginx/error.log
  [[ $(cat answer.* | grep -c '^worker') == 40 && $(cat answer.* | sort -u | wc -l) == 2 ]] &&
    ! grep -E '\[(emerg|alert|crit|error)\]' nginx/error.log
}
curl_with_key() {
  OPENSSL_CONF=$WORK/openssl.cnf request --engine pkcs11 --key-type ENG --key "$(private_key ec)" \
    --cert ec.pem "$@" | tee /dev/stderr | grep -q 'client SUCCESS'
}
lockout_counter() { tpm2_getcap -T "$TCTI" properties-variable | sed -n 's/TPM2_PT_LOCKOUT_COUNTER: //p'; }
no_wrong_pins() { [[ $(lockout_counter) == 0x0 ]]; }

with_tpm
init_token
NGINX_PID=''
at_exit stop_nginx KILL
as_user --keypairgen --key-type rsa:2048 --id 51 --label rsa --usage-sign --usage-decrypt >/dev/null 2>&1
as_user --keypairgen --key-type EC:prime256v1 --id 52 --label ec --usage-sign >/dev/null 2>&1
echo 'a message' >message
cat >openssl.cnf <<EOF
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11_section
[pkcs11_section]
engine_id = pkcs11
MODULE_PATH = $MODULE
PIN = $USERPIN
init = 1
[req]
distinguished_name = dn
[dn]
EOF

for key in rsa ec; do
  check "public_key_$key" public_key "$key"
  check "sign_$key" sign "$key"
  check "self_signed_$key" self_signed "$key"
  check "cms_sign_$key" cms_sign "$key"
  check "s_server_${key}_1.2" s_server "$key" --tls-max 1.2
  check "s_server_${key}_1.3" s_server "$key" --tlsv1.3
done
check decrypt decrypt

# Two workers and their master hold a key each: without a resource manager the TPM has room for no other.
[[ $RESOURCE_MANAGER == abrmd ]] || finish
# GLib, which the library of tpm2-abrmd's clients uses, does not survive a fork: each process talks to it
# through a tpm2_send of its own.
export KEYSCOPE_TCTI="cmd:tpm2_send --tcti=$TCTI"
cat rsa.pem ec.pem >clients.pem
PORT=$(free_port)
check nginx_starts start_nginx
port_open "$PORT" || finish
check nginx_answers requests
check curl_with_key_1.2 curl_with_key --tls-max 1.2
check curl_with_key_1.3 curl_with_key --tlsv1.3
check nginx_answers_again requests
stop_nginx KILL 2>/dev/null
check sign_after_kill sign ec
check nginx_starts_after_kill start_nginx
check nginx_answers_after_kill requests
stop_nginx TERM
check no_wrong_pins no_wrong_pins
finish
