#!/bin/bash
# java.sh MODULE SLOT bare|abrmd: keytool, jarsigner and a program of eight threads, through SunPKCS11.
# OpenSSL checks what they made.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"


token_options=(-keystore NONE -storetype PKCS11 -storepass "$USERPIN" -addprovider SunPKCS11
  -providerArg java.cfg)
token() { keytool "$@" "${token_options[@]}" -J-Xshare:auto; }

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
# A certificate that OpenSSL's CA issued takes the place of the self-signed one, with its chain.
import_chain() {
  token -certreq -alias ec -file ec.csr && openssl req -verify -noout -in ec.csr &&
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 30 &&
    openssl x509 -req -in ec.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out issued.pem &&
    token -importcert -noprompt -alias ca -file ca.pem &&
    token -importcert -noprompt -alias ec -file issued.pem &&
    token -list -v -alias ec | grep 'Certificate chain length: 2'
}
sign_jar() { # ALIAS
  jarsigner "${token_options[@]}" -signedjar "$1.jar" plain.jar "$1" &&
    jarsigner -verify "$1.jar" | tee /dev/stderr | grep -q 'jar verified' &&
    unzip -p "$1.jar" "META-INF/*.${2}" | openssl cms -verify -inform DER -noverify -content <(
      unzip -p "$1.jar" 'META-INF/*.SF') -binary -out /dev/null
}
delete() { token -delete -alias rsa && ! token -list -alias rsa; }

with_tpm
init_token
cat >java.cfg <<EOF
name = keyscope
library = $MODULE
slotListIndex = $SLOT
EOF
echo 'a message' >message
jar cf plain.jar message

check generate_rsa generate rsa -keyalg RSA -keysize 2048
check generate_ec generate ec -keyalg EC -groupname secp256r1
check list list
check threads java -XX:+ShowCodeDetailsInExceptionMessages "$HERE/Threads.java" java.cfg "$USERPIN"
check import_chain import_chain
check sign_jar_rsa sign_jar rsa RSA
check sign_jar_ec sign_jar ec EC
check delete delete
finish
