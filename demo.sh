#!/bin/bash
# The main job on a software TPM, start to end: two tokens, a key in each, signatures that OpenSSL
# verifies, a certificate, a deletion. Prints each command before it runs it and one line of outcome after it.
# Everything happens in a folder under build/, which goes at the end with what was started.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. tests/support/packages.sh
need_packages "${BUILD_PACKAGES[@]}" "${DEMO_PACKAGES[@]}"
. tests/support/tpm.sh

MODULE=$PWD/build/release/keyscope-pkcs11.so # p11-kit takes a relative path as one of its own folder
mkdir -p build
WORK=$(mktemp -d build/demo.XXXXXX)
at_exit "rm -rf '$PWD/$WORK'"

# run OUTCOME COMMAND...: its own words are shown only when it fails.
run() {
  local outcome=$1
  shift
  echo
  echo "\$ ${*@Q}" | sed -E "s/'([A-Za-z0-9_.,:=\/@%+-]+)'/\1/g"
  if "$@" >"$WORK/out" 2>&1; then
    echo "  $outcome"
  else
    cat "$WORK/out"
    echo "  FAILED"
    exit 1
  fi
}
# show OUTCOME COMMAND...: the same with the command's own words.
show() {
  run "$@"
  sed '/^$/d; s/^/    /' "$WORK/out"
}

run "the release build is configured" cmake --preset release
run "the module is at $MODULE" cmake --build --preset release --target keyscope-pkcs11 -j2

echo
echo "\$ swtpm socket --tpm2 --tpmstate dir=$WORK/tpm ..."
start_swtpm "$WORK/tpm"
echo "  a software TPM answers at $TCTI"

export HOME=$PWD/$WORK XDG_DATA_HOME=$PWD/$WORK/data
export KEYSCOPE_CONF=$PWD/$WORK/keyscope.conf KEYSCOPE_TCTI=$TCTI
export KEYSCOPE_MACHINE_DIR=$PWD/$WORK/machine KEYSCOPE_USER_DIR=$PWD/$WORK/user
unset KEYSCOPE_LOG KEYSCOPE_LOG_FILE
export GNUTLS_PIN=123456 GNUTLS_SO_PIN=87654321
: >"$KEYSCOPE_CONF"
echo "signed by a TPM" >"$WORK/message"
cat >"$WORK/certificate.cfg" <<'X'
cn = "keyscope demo"
expiration_days = 30
signing_key
tls_www_server
X

for slot in 0:machine 1:user; do
  name=${slot#*:} tool="pkcs11-tool --module $MODULE --slot ${slot%:*}"
  run "the $name token is initialised" $tool --init-token --label "$name" --so-pin 87654321
  run "its user has a PIN" $tool --login --login-type so --so-pin 87654321 --init-pin --pin 123456
done

machine="pkcs11-tool --module $MODULE --slot 0 --login --pin 123456"
user="pkcs11-tool --module $MODULE --slot 1 --login --pin 123456"
run "the machine has an RSA key in the TPM" \
  $machine --keypairgen --key-type rsa:2048 --id 01 --label machine-key --usage-sign --usage-decrypt
run "the user has an elliptic-curve key in the TPM" \
  $user --keypairgen --key-type EC:prime256v1 --id 02 --label user-key --usage-sign

run "signed with the machine's key" \
  $machine --sign -m SHA256-RSA-PKCS --id 01 -i "$WORK/message" -o "$WORK/machine.sig"
run "signed with the user's key" \
  $user --sign -m ECDSA-SHA256 --signature-format openssl --id 02 -i "$WORK/message" -o "$WORK/user.sig"
for one in machine:01 user:02; do
  name=${one%:*}
  run "the $name's public key is read" \
    ${!name} --read-object --type pubkey --id "${one#*:}" -o "$WORK/$name.der"
  run "OpenSSL verifies the $name's signature" openssl dgst -sha256 -keyform DER \
    -verify "$WORK/$name.der" -signature "$WORK/$name.sig" "$WORK/message"
done

show "the machine's objects:" $machine --list-objects
show "the user's objects:" $user --list-objects

run "a self-signed certificate is made with the machine's key" \
  certtool --provider "$MODULE" --generate-self-signed --template "$WORK/certificate.cfg" \
  --load-privkey "pkcs11:token=machine;object=machine-key;type=private" \
  --load-pubkey "pkcs11:token=machine;object=machine-key;type=public" --outfile "$WORK/cert.pem"
run "OpenSSL verifies the certificate" openssl verify -CAfile "$WORK/cert.pem" "$WORK/cert.pem"
run "the certificate is on the machine's token" p11tool --provider "$MODULE" --login --write \
  --load-certificate "$WORK/cert.pem" --id 01 --label machine-cert "pkcs11:token=machine"

run "the user's private key is deleted" $user --delete-object --type privkey --id 02
run "and its public key" $user --delete-object --type pubkey --id 02
show "what the user's token still holds (nothing):" $user --list-objects
echo
echo "Done: the same commands work with a hardware TPM, without the KEYSCOPE_ variables."
