#!/bin/bash
# nss.sh MODULE SLOT bare|abrmd: modutil, certutil, cmsutil and pk12util on an NSS database that knows the
# module. OpenSSL checks what they made.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need modutil certutil cmsutil pk12util

DB=(-d sql:db -f pin)
CERT=(certutil "${DB[@]}" -h "$LABEL")

register() {
  modutil -dbdir sql:db -force -add keyscope -libfile "$MODULE" && modutil -dbdir sql:db -list keyscope
}
generate_keys() {
  "${CERT[@]}" -G -k rsa -g 2048 -z noise && "${CERT[@]}" -G -k ec -q nistp256 -z noise
}
self_signed() { # NAME OPTIONS...
  local name=$1
  shift
  "${CERT[@]}" -S -x -n "$name" -s "CN=$name" -t CTu,CTu,CTu -m $RANDOM -z noise "$@" &&
    certutil "${DB[@]}" -h "$LABEL" -L -a -n "$LABEL:$name" >"$name.pem" &&
    openssl verify -check_ss_sig -CAfile "$name.pem" "$name.pem"
}
request() {
  "${CERT[@]}" -R -s CN=request -k rsa -g 2048 -z noise -a -o request.csr &&
    openssl req -in request.csr -verify -noout
}
list_certificates() {
  "${CERT[@]}" -L | tee list && grep -q "$LABEL:s-rsa" list && grep -q "$LABEL:s-ec" list
}
list_keys() { # COUNT
  "${CERT[@]}" -K | tee list && (($(grep -c '^<' list) == $1))
}
signed_message() { # NAME
  cmsutil -S "${DB[@]}" -N "$LABEL:$1" -G -i message -o "$1.cms" &&
    cmsutil -D "${DB[@]}" -i "$1.cms" -o out && cmp message out &&
    openssl cms -verify -inform DER -in "$1.cms" -CAfile "$1.pem" -purpose any -out out && cmp message out
}
decrypt_message() { # NAME
  openssl cms -encrypt -aes256 -outform DER -in message -out sealed.cms "$1.pem" &&
    cmsutil -D "${DB[@]}" -i sealed.cms -o out && diff --strip-trailing-cr message out
}
import_pkcs12() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout p12.key -out p12.pem -subj /CN=p12 \
    -days 30 2>/dev/null &&
    openssl pkcs12 -export -inkey p12.key -in p12.pem -name p12 -out p12.p12 -passout pass:secret &&
    pk12util -i p12.p12 -d sql:db -k pin -h "$LABEL" -W secret &&
    certutil "${DB[@]}" -M -n "$LABEL:p12" -t CTu,CTu,CTu && signed_message p12
}
delete_key() { "${CERT[@]}" -F -n "$LABEL:s-ec" && ! "${CERT[@]}" -L -n "$LABEL:s-ec"; }

with_tpm
init_token
mkdir db
echo "$USERPIN" >pin
certutil -N -d sql:db --empty-password
echo 'a message' >message
head -c 64 /dev/urandom >noise

check register register
check generate_keys generate_keys
check self_signed_rsa self_signed s-rsa -k rsa -g 2048
check self_signed_ec self_signed s-ec -k ec -q nistp256
check request request
check list_certificates list_certificates
check list_keys list_keys 5
check signed_message_rsa signed_message s-rsa
check signed_message_ec signed_message s-ec
check decrypt_message decrypt_message s-rsa
check import_pkcs12 import_pkcs12
check delete_key delete_key
finish
