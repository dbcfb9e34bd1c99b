#!/bin/bash
# gnupg.sh MODULE SLOT bare|abrmd: GnuPG's S/MIME signs and decrypts with an RSA key of the token, through
# gnupg-pkcs11-scd; OpenSSL encrypts. The signature is checked by GnuPG, too: when its first bit is set gpg-agent puts a
# zero before it, which OpenSSL refuses.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
need gpgsm gpg-agent gnupg-pkcs11-scd

export GNUPGHOME=$WORK/g # short: sockets are in it
configure() {
  mkdir -m 700 "$GNUPGHOME"
  at_exit 'gpgconf --kill all'
  printf 'providers keyscope\nprovider-keyscope-library %s\n' "$MODULE" >"$GNUPGHOME/gnupg-pkcs11-scd.conf"
  cat >pinentry <<EOF
#!/bin/bash
echo OK
while read -r command _; do
  [[ \$command != GETPIN ]] || echo "D $USERPIN"
  echo OK
  [[ \$command != BYE ]] || exit
done
EOF
  chmod +x pinentry
  printf 'scdaemon-program %s\npinentry-program %s\n' "$(command -v gnupg-pkcs11-scd)" "$WORK/pinentry" \
    >"$GNUPGHOME/gpg-agent.conf"
  echo disable-crl-checks >"$GNUPGHOME/gpgsm.conf"
  echo "$(openssl x509 -in ca.pem -noout -fingerprint -sha1 | sed 's/.*=//') S relax" >"$GNUPGHOME/trustlist.txt"
  gpgsm --import ca.pem rsa.pem
}
knows_the_key() {
  gpgsm --learn-card && gpgsm --list-secret-keys --with-colons | grep -q '^crs:'
}
sign() {
  gpgsm --local-user CN=rsa --detach-sign --output signature message && gpgsm --verify signature message
}
decrypt() {
  openssl cms -encrypt -binary -aes256 -in message -outform DER -out cipher rsa.pem &&
    gpgsm --decrypt --output decrypted cipher && cmp message decrypted
}

with_tpm
init_token
as_user --keypairgen --key-type rsa:2048 --id 01 --label rsa --usage-sign --usage-decrypt >/dev/null 2>&1
echo 'a message' >message
check "certificate of the key" certify 01 rsa
check "GnuPG is set up" configure
check "it finds the key" knows_the_key
check "signs" sign
check "decrypts" decrypt
finish
