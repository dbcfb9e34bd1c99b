#!/bin/bash
# java.sh MODULE SLOT bare|abrmd: keytool, jarsigner, a TLS 1.3 server and a program of eight threads, through
# SunPKCS11. OpenSSL checks what they made.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need java keytool jarsigner jar

token_options=(-keystore NONE -storetype PKCS11 -storepass "$USERPIN" -addprovider SunPKCS11
  -providerArg java.cfg)
token() { keytool "$@" "${token_options[@]}"; }

generate() { # ALIAS OPTIONS...
  local alias=$1
  shift
  token -genkeypair -alias "$alias" -dname "CN=$alias" -validity 30 "$@" &&
    token -exportcert -rfc -alias "$alias" -file "$alias.pem" &&
    openssl verify -check_ss_sig -CAfile "$alias.pem" "$alias.pem"
}
list() {
  token -list >list && cat list && [[ $(grep -c PrivateKeyEntry list) == 2 ]]
}
# The answer of OpenSSL's CA, a certificate and its chain, takes the place of the self-signed one.
import_chain() {
  token -certreq -alias ec -file ec.csr && openssl req -verify -noout -in ec.csr &&
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 30 2>/dev/null &&
    openssl x509 -req -in ec.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out issued.pem &&
    cat issued.pem ca.pem >answer.pem && token -importcert -noprompt -alias ec -file answer.pem &&
    token -list -v -alias ec | grep 'Certificate chain length: 2'
}
sign_jar() { # ALIAS
  jarsigner "${token_options[@]}" -signedjar "$1.jar" plain.jar "$1" &&
    jarsigner -verify "$1.jar" | tee /dev/stderr | grep -q 'jar verified' &&
    rm -rf META-INF && jar xf "$1.jar" META-INF &&
    openssl cms -verify -inform DER -in META-INF/*."$2" -content META-INF/*.SF -binary -noverify \
      -out /dev/null
}
tls_server() { # ALIAS CA
  local port status
  port=$(free_port)
  java "$HERE/Tls.java" java.cfg "$USERPIN" "$1" "$port" >server.log 2>&1 &
  wait_for 60 port_open "$port"
  { echo 'a message'; sleep 2; } | timeout 30 openssl s_client -connect "127.0.0.1:$port" -tls1_3 -CAfile "$2" \
    -verify_return_error -quiet >client.log 2>&1
  status=$?
  wait %%
  cat client.log server.log
  ((status == 0)) && grep -q 'a message' client.log
}
delete() { token -delete -alias rsa && ! token -list -alias rsa; }

with_tpm
init_token
cat >java.cfg <<EOF
name = keyscope
library = $MODULE
slotListIndex = $SLOT
attributes(*, CKO_PRIVATE_KEY, CKK_EC) = { CKA_DERIVE = true }
attributes(generate, CKO_SECRET_KEY, CKK_GENERIC_SECRET) = {
  CKA_SENSITIVE = false
  CKA_EXTRACTABLE = true
}
EOF
echo 'a message' >message
jar cf plain.jar message

check generate_rsa generate rsa -keyalg RSA -keysize 2048
check generate_ec generate ec -keyalg EC -groupname secp256r1
check list list
check tls_server_rsa tls_server rsa rsa.pem
check tls_server_ec tls_server ec ec.pem
check threads java "$HERE/Threads.java" java.cfg "$USERPIN"
check import_chain import_chain
check sign_jar_rsa sign_jar rsa RSA
check sign_jar_ec sign_jar ec EC
check delete delete
finish
