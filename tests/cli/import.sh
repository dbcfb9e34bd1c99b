#!/bin/bash
# keyscope key import: PKCS #8 and the traditional forms, PEM and DER, encrypted and not; and what is
# refused, with nothing left behind.
. "$(dirname "$0")/common.sh"
with_tpm
init_both

count() { keyscope --json status >status && field status "['tokens'][$1]['objects']"; }
# same NAME KEY-FILE: the public half of the token's key is the file's.
same() {
  keyscope --json key show "$1" >shown
  if cmp -s <(field shown "['public_key'].strip()") <(openssl pkey -in "$2" -passin pass:Tr0ubador -pubout); then
    echo "ok   $1 has the file's public half"
  else
    fail "$1 has another public half"
  fi
}

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
openssl rsa -in rsa.pem -traditional -out rsa-old.pem 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out p256.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp384r1 -out p384.pem
openssl ecparam -genkey -name prime256v1 -out ec-old.pem # with a block of parameters before the key
openssl pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER -out rsa.der
openssl ec -in p256.pem -outform DER -out p256.der 2>/dev/null
openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:Tr0ubador -in p256.pem -out encrypted.pem
openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:Tr0ubador -in rsa.pem -outform DER -out encrypted.der
openssl rsa -in rsa.pem -traditional -aes128 -passout pass:Tr0ubador -out encrypted-old.pem 2>/dev/null
echo Tr0ubador >passphrase
echo wrong >wrong

for file in rsa.pem rsa-old.pem rsa.der p256.pem p256.der p384.pem ec-old.pem; do
  check "$file is imported" keyscope key import "$file" --label "$file"
  same "$file" "$file"
done
for file in encrypted.pem encrypted.der encrypted-old.pem; do
  check "$file is imported" keyscope key import "$file" --label "$file" --passphrase-file passphrase
  same "$file" "$file"
done
check "from standard input, passphrase in the environment" \
  bash -c "KEYSCOPE_PASSPHRASE=Tr0ubador '$KEYSCOPE' --json key import - --scope machine --label stdin --id 0a0b <encrypted.pem"
says "in the other scope" '"scope": "machine"'
says "with the id that was asked for" '"id": "0a0b"'
check "the machine's key is listed" keyscope key show stdin --scope machine
check "by a URI" keyscope key import p384.pem --uri "tpmkms:name=by-uri;key-scope=machine"
if [[ $(grep -c "id " <(keyscope key list --scope machine)) -ge 2 ]]; then echo "ok   both are there"; else fail "keys are missing"; fi

before="$(count 0) $(count 1)"
openssl genpkey -algorithm ED25519 -out ed25519.pem
openssl ecparam -genkey -name secp256k1 -noout -out k1.pem
openssl ecparam -genkey -name prime256v1 -param_enc explicit -noout -out explicit.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out e3.pem 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1536 -out rsa1536.pem 2>/dev/null
openssl genrsa -primes 3 -out three.pem 2048 2>/dev/null
openssl pkey -in p256.pem -pubout -out only-public.pem
# The private half of one key with the public half of another.
python3 - <<'END'
import base64
def der(name): return bytearray(open(name, "rb").read())
a, b = der("p256.der"), bytearray(base64.b64decode("".join(open("ec-old.pem").read().split("-----")[6].split())))
at = a.index(b"\x03\x42\x00\x04"); a[at + 4:at + 68] = b[b.index(b"\x03\x42\x00\x04") + 4:][:64]
open("mixed.der", "wb").write(a)
END
echo data >data
head -c 40 p256.der >short.der
: >empty
head -c 70000 /dev/zero >long
refused "a name that is taken" 1 "already exists" keyscope key import p256.pem --label p256.pem
refused "no name" 2 "name the new key" keyscope key import p256.pem
refused "no file" 2 "cannot be read" keyscope key import none.pem --label x
refused "a folder" 2 "cannot be read" keyscope key import . --label x
refused "a file that is too long" 2 "too long" keyscope key import long --label x
refused "an empty file" 1 "no private key" keyscope key import empty --label x
refused "a file that is none" 1 "no private key" keyscope key import data --label x
refused "a key cut short" 1 "no private key" keyscope key import short.der --label x
refused "a public key" 1 "no private key" keyscope key import only-public.pem --label x
refused "Ed25519" 1 "this one is ED25519" keyscope key import ed25519.pem --label x
refused "another curve" 1 "secp256k1" keyscope key import k1.pem --label x
refused "three primes" 1 "more than two primes" keyscope key import three.pem --label x
refused "exponent 3" 1 "exponent 65537" keyscope key import e3.pem --label x
refused "a size that the TPM lacks" 1 CKR_KEY_SIZE_RANGE keyscope key import rsa1536.pem --label x
refused "halves of two keys" 1 "do not belong together" keyscope key import mixed.der --label x
refused "a wrong passphrase" 1 "passphrase is wrong" keyscope key import encrypted.pem --label x --passphrase-file wrong
refused "no passphrase and no terminal" 2 "is protected" setsid "$KEYSCOPE" key import encrypted.pem --label x
refused "an attestation key" 2 "no attestation key" keyscope key import p256.pem --uri "tpmkms:name=x;ak=true"
refused "an unknown scope" 2 "machine or user" keyscope key import p256.pem --label x --scope both
refused "a wrong PIN" 1 CKR_PIN_INCORRECT keyscope --pin 999999 key import p256.pem --label x
if [[ "$(count 0) $(count 1)" == "$before" ]]; then echo "ok   nothing is left of them"; else fail "left behind"; fi
check "explicit parameters of a known curve" keyscope key import explicit.pem --label explicit
KEYSCOPE_LOG=trace KEYSCOPE_LOG_FILE=$WORK/log keyscope key import encrypted.pem --label logged --passphrase-file passphrase >/dev/null
if grep -q Tr0ubador log; then fail "the passphrase is in the log"; else echo "ok   the passphrase is not in the log"; fi
check "deleted as any other" keyscope key delete rsa.pem
finish
