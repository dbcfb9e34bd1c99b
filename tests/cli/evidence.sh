#!/bin/bash
# Evidence of both kinds of AK, checked by keyscope verify, OpenSSL and tpm2-tools.
. "$(dirname "$0")/common.sh"
with_tpm
init_both

# openssl_verifies FILE.json AK.json ATTEST_FIELD SIGNATURE_FIELD: the signature, by OpenSSL alone. The
# AK's key comes out of its TPMT_PUBLIC through tpm2-tools.
ak_pem() { # AK.json PEM
  { printf '\x01\x18'; bytes "$1" "['Public']"; } >area # a TPM2B_PUBLIC of an RSA-2048 key has 280 bytes
  python3 -c 'import sys; b=open("area","rb").read()[2:]; open("area","wb").write(len(b).to_bytes(2,"big")+b)'
  tpm2_print -t TPM2B_PUBLIC -f pem area >"$2"
}
openssl_verifies() {
  bytes "$1" "$3" >attest
  bytes "$1" "$4" >tpmt
  python3 - <<'X'
b = open("tpmt", "rb").read()
number = lambda at: (b[at + 2:at + 2 + int.from_bytes(b[at:at + 2], "big")], at + 2 + int.from_bytes(b[at:at + 2], "big"))
first, at = number(4)
if b[:2] == b"\x00\x14":
    der = first
else:
    second, _ = number(at)
    # DER wants its integers minimal; the TPM pads them to the size of the field.
    minimal = lambda n: n.lstrip(b"\0") or b"\0"
    integer = lambda n: b"\x02" + bytes([len(n) + (n[0] >> 7)]) + b"\0" * (n[0] >> 7) + n
    both = integer(minimal(first)) + integer(minimal(second))
    der = b"\x30" + bytes([len(both)]) + both
open("signature", "wb").write(der)
X
  openssl dgst -sha256 -verify "$2" -signature signature attest
}

for scope in machine user; do
  for type in rsa2048 p256; do
    ak=ak-$type key=key-$type
    check "$scope: an AK ($type)" keyscope ak create "$ak" --scope $scope --type $type
    check "$scope: a key that it attests" keyscope key create "$key" --scope $scope --type p256 \
      --attest-by "$ak" --qualifying-data c0ffee
    check "the AK's evidence" keyscope ak show "$ak" --scope $scope --evidence --out ak.json
    check "verifies" keyscope verify ak.json --scope $scope
    name=$(keyscope --json ak show "$ak" --scope $scope >shown && field shown "['tpm_name']")
    check "the key's evidence of birth" keyscope key show "$key" --scope $scope --evidence --out birth.json
    check "verifies under the AK's Name" keyscope verify birth.json --scope $scope --nonce c0ffee --ak-name "$name"
    check "certified again" keyscope key certify "$key" --scope $scope --nonce 0102 --out first.json
    check "and again" keyscope key certify "$key" --scope $scope --nonce 0304 --out second.json
    check "both verify, the first" keyscope verify first.json --nonce 0102 --scope $scope --ak-name "$name"
    check "and the second" keyscope verify second.json --nonce 0304 --scope $scope --ak-name "$name"
    refused "a nonce of another statement" 3 "it answers another: 0304" keyscope verify second.json --nonce 0102
    other=$([[ $scope == user ]] && echo machine || echo user)
    refused "the other scope" 3 "outsideInfo is 'keyscope:$scope'" keyscope verify second.json --scope $other
    check "the AK as PEM, by tpm2-tools" ak_pem ak.json ak.pem
    check "OpenSSL verifies the statement" openssl_verifies second.json ak.pem "['CreateAttestation']" "['CreateSignature']"
    check "and that of the key's creation" openssl_verifies second.json ak.pem \
      "['keyscope']['CreationAttestation']" "['keyscope']['CreationSignature']"
    bytes second.json "['CreateAttestation']" >attest
    tpm2_print -t TPMS_ATTEST attest >out 2>&1 # Debian's knows no statement of TPM2_Certify beyond these
    says "tpm2_print reads the statement" "magic: ff544347"
    says "with the nonce" "extraData: 0304"

    check "a quote" keyscope quote "$ak" --scope $scope --nonce 0a0b --pcrs sha256:0,7 --out quote.json
    check "verifies" keyscope verify quote.json --nonce 0a0b --ak-name "$name"
    bytes quote.json "['Quote']" >quote.attest
    bytes quote.json "['Signature']" >quote.signature
    check "tpm2_print reads it" tpm2_print -t TPMS_ATTEST quote.attest
    check "tpm2_checkquote verifies it" tpm2_checkquote -u ak.pem -m quote.attest -s quote.signature -g sha256 -q 0a0b
    refused "PCRs that are not so" 3 "their digest is" keyscope verify quote.json --pcr-digest 00
    pcrs=()
    while read -r pcr value; do pcrs+=(--pcr "$pcr=$value"); done < <(
      tpm2_pcrread -T "$KEYSCOPE_TCTI" sha256:0,7 | sed -n 's/^ *\([0-9]*\) *: 0x/\1 /p')
    check "their values, as tpm2_pcrread has them" keyscope verify quote.json --nonce 0a0b "${pcrs[@]}"
    says "are what the quote is of" "the PCRs have the values given"
    refused "and no others" 3 "they have others" keyscope verify quote.json "${pcrs[@]:0:2}" --pcr "7=$(printf '11%.0s' {1..32})"
    refused "a PCR without a value" 2 "no PCR with its value" keyscope verify quote.json --pcr 7

    # The challenge of a remote party: software only, from the endorsement key and the AK's Name.
    for ek in rsa ec; do
      keyscope --json ek show >ek.json
      field ek.json "['endorsement_keys'][$([[ $ek == rsa ]] && echo 0 || echo 1)]['public_key']" >ek.pem
      printf 'a secret of the remote party....' >secret
      if [[ $ek == rsa ]]; then
        check "a credential, made in software" tpm2_makecredential -Q -T none -G rsa -u ek.pem -s secret -n "$name" -o credential
      else
        field ek.json "['endorsement_keys'][1]['tpm_public']" | base64 -d >ek.tpmt
        python3 -c 'b=open("ek.tpmt","rb").read(); open("ek.tpm2b","wb").write(len(b).to_bytes(2,"big")+b)'
        check "a credential for the other endorsement key" tpm2_makecredential -Q -T "$KEYSCOPE_TCTI" -u ek.tpm2b -s secret -n "$name" -o credential
      fi
      check "the AK answers it" keyscope ak activate "$ak" --scope $scope --credential credential --ek $ek --out answer
      check "with the secret" cmp secret answer
    done
    tpm2_makecredential -Q -T none -G rsa -u ek-other.pem -s secret -n "$name" -o wrong 2>/dev/null ||
      { openssl genrsa 2048 2>/dev/null | openssl rsa -pubout -out ek-other.pem 2>/dev/null
        tpm2_makecredential -Q -T none -G rsa -u ek-other.pem -s secret -n "$name" -o wrong; }
    refused "a credential for another TPM" 1 CKR_ENCRYPTED_DATA_INVALID keyscope ak activate "$ak" --scope $scope --credential wrong
    field ek.json "['endorsement_keys'][0]['public_key']" >ek.pem
    tpm2_makecredential -Q -T none -G rsa -u ek.pem -s secret -n "000b$(printf '0%.0s' {1..64})" -o wrong
    refused "and one for another AK" 1 CKR_ENCRYPTED_DATA_INVALID keyscope ak activate "$ak" --scope $scope --credential wrong
  done
done

refused "an empty nonce" 2 "an empty value" keyscope key certify key-p256 --nonce ""
refused "for a quote" 2 "an empty value" keyscope quote ak-p256 --nonce ""
refused "and to be compared" 2 "an empty value" keyscope verify second.json --nonce ""
refused "a key that no AK vouches for" 1 "no attestation key vouches" bash -c \
  "'$KEYSCOPE' key create plain --type p256 >/dev/null && '$KEYSCOPE' key certify plain --nonce 01"

check "a key of which the creation is stated, only" keyscope key create brief --type p256 --attest-by ak-p256 \
  --creation-only --qualifying-data c0ffee
check "its evidence" keyscope key show brief --evidence --out brief.json
check "verifies, with the nonce and the scope" keyscope verify brief.json --nonce c0ffee --scope user
refused "but not with another nonce" 3 "it answers another: c0ffee" keyscope verify brief.json --nonce 01
check "the rest is stated later" keyscope key certify brief --nonce 0102 --out later.json
check "and verifies" keyscope verify later.json --nonce 0102 --scope user
refused "creation only of what nobody attests" 2 "--attest-by" keyscope key create x --creation-only

# WebAuthn: a certificate of the AK's, from a CA, stored and sent along.
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=CA -keyout ca.key -out ca.pem -days 2 2>/dev/null
openssl req -new -newkey rsa:2048 -nodes -subj /CN=AK -keyout any.key -out any.csr 2>/dev/null
keyscope ak show ak-p256 --evidence --out ak.json && ak_pem ak.json ak.pem
openssl x509 -req -in any.csr -CA ca.pem -CAkey ca.key -CAcreateserial -force_pubkey ak.pem -out leaf.pem -days 2 2>/dev/null
cat leaf.pem ca.pem >chain.pem
refused "no certificate, no WebAuthn statement" 1 "needs a certificate" keyscope key certify key-p256 --nonce 01 --format webauthn
refused "a certificate for another key" 1 "for another key" keyscope ak certificate ak-p256 --store ca.pem
check "the AK's chain is stored" keyscope ak certificate ak-p256 --store chain.pem
cp out printed.pem
check "and printed in order" cmp printed.pem <(openssl x509 -in leaf.pem; openssl x509 -in ca.pem)
check "a bundle carries them" keyscope key certify key-p256 --nonce 01 --out bundle.json
check "and is verified with the CA's certificate" keyscope verify bundle.json --nonce 01 --scope user --ca ca.pem
says "for what it proves" "a CA that you trust issued it (CN=AK)"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=CA -keyout other.key -out other.pem -days 2 2>/dev/null
refused "another CA of that name" 3 "a CA that you trust issued it" keyscope verify bundle.json --ca other.pem
check "a WebAuthn statement" keyscope key certify key-p256 --key-authorization token.thumbprint --format webauthn --out statement
check "over the hash of the key authorization" python3 - <<'X'
import base64, hashlib
text = open("statement").read().strip()
cbor = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
assert cbor.startswith(b"\xa2\x63fmt\x63tpm\x67attStmt\xa6")
assert hashlib.sha256(b"token.thumbprint").digest() in cbor
X
finish
