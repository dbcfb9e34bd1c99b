#!/bin/bash
# Endorsement certificates as a TPM's maker leaves them: swtpm_setup with a CA of its own makes an RSA-2048 key
# (low range) and a P-384 key (high range) with certificates. The CA's chain is written to NV memory besides.
. "$(dirname "$0")/common.sh"

mkdir tpm ca
: >localca.options
printf '%s\n' "statedir = $WORK/ca" "signingkey = $WORK/ca/key.pem" "issuercert = $WORK/ca/issuer.pem" \
  "certserial = $WORK/ca/serial" >localca.conf
printf '%s\n' "create_certs_tool = $(command -v swtpm_localca)" "create_certs_tool_config = $WORK/localca.conf" \
  "create_certs_tool_options = $WORK/localca.options" "active_pcr_banks = sha256" >setup.conf
check "a TPM with endorsement certificates" swtpm_setup --tpm2 --tpmstate tpm --config setup.conf --create-ek-cert
with_tpm
export TPM2TOOLS_TCTI=$KEYSCOPE_TCTI
init_both

check "the keys" keyscope --json ek show
cp out keys.json
says "of the low range" 0x01c00002
says "and of the high range" 0x01c00016
check "the certificates" keyscope --json ek certificates
cp out certificates.json
count=$(field certificates.json "['certificates'].__len__()")
if [[ $count == 2 ]]; then echo "ok   are two"; else fail "$count certificates"; fi
n=0
for index in 0x01c00002 0x01c00016; do
  field keys.json "['endorsement_keys']" | INDEX=$index python3 -c '
import ast, os, sys
print(*[key["public_key"] for key in ast.literal_eval(sys.stdin.read()) if key["nv_index"] == os.environ["INDEX"]])' >key.pem
  field certificates.json "['certificates'][$n]['certificate']" >"ek$n.pem"
  openssl x509 -in "ek$n.pem" -outform DER -out "ek$n.der"
  tpm2_nvread $index >nv 2>/dev/null
  check "$index: issued by the CA" openssl verify -partial_chain -trusted ca/issuer.pem "ek$n.pem"
  check "for the TPM's key" cmp <(openssl x509 -in "ek$n.pem" -pubkey -noout) <(openssl pkey -pubin -in key.pem -pubout)
  check "as it is in NV memory" cmp -n "$(stat -c %s "ek$n.der")" "ek$n.der" nv
  n=$((n + 1))
done

# Other clients ask by label.
if pkcs11-tool --module "$KEYSCOPE_MODULE" --slot 0 -O >out 2>&1; then
  if grep -q Endorsement out; then fail "unasked"; else echo "ok   who does not ask does not wait for them"; fi
  check "pkcs11-tool reads one" pkcs11-tool --module "$KEYSCOPE_MODULE" --slot 0 --read-object --type cert \
    --label "Endorsement key (P-384)" --output-file read.der
  check "the right one" cmp read.der ek1.der
  check "p11tool reads one" p11tool --provider "$KEYSCOPE_MODULE" --outfile read.pem \
    --export 'pkcs11:token=machine;object=Endorsement%20key%20%28RSA%29;type=cert'
  check "the right one" cmp <(openssl x509 -in read.pem -outform DER) ek0.der
else
  echo "     (a sanitized module does not load into pkcs11-tool)"
fi

# A credential for each key, made by tpm2-tools from its public area.
check "an AK" keyscope ak create ak --type p256
ak_name=$(keyscope --json ak show ak >shown && field shown "['tpm_name']")
head -c 32 /dev/urandom >secret
credential() { # NUMBER OF KEY: a credential for it and the AK, in `credential`
  field keys.json "['endorsement_keys'][$1]['tpm_public']" | base64 -d >area
  python3 -c 'b = open("area", "rb").read(); open("ek.tpm2b", "wb").write(len(b).to_bytes(2, "big") + b)'
  tpm2_makecredential -Q -T none -u ek.tpm2b -s secret -n "$ak_name" -o credential
}
for ((i = 0; i < $(field keys.json "['endorsement_keys'].__len__()"); i++)); do
  index=$(field keys.json "['endorsement_keys'][$i]['nv_index']")
  check "a credential for $index" credential "$i"
  check "is answered" keyscope ak activate ak --credential credential --ek "$index" --out answer
  check "with the secret" cmp secret answer
done
refused "no such key" 2 "no endorsement key" keyscope ak activate ak --credential credential --ek dsa
refused "nor this" 1 CKR_MECHANISM_PARAM_INVALID keyscope ak activate ak --credential credential --ek 0x01c00003

# The CA's chain, which goes on from one index to the next.
openssl x509 -in ca/issuer.pem -outform DER >chain.der
openssl x509 -in ca/swtpm-localca-rootca-cert.pem -outform DER >>chain.der
head -c 700 chain.der >part0
tail -c +701 chain.der >part1
for i in 0 1; do
  tpm2_nvdefine -Q -C o -s "$(stat -c %s part$i)" -a "ownerwrite|ownerread|authread|no_da" 0x01c0010$i
  tpm2_nvwrite -Q -C o -i part$i 0x01c0010$i
done
check "the certificates with the chain" keyscope --json ek certificates
cp out certificates.json
for i in 2 3; do field certificates.json "['certificates'][$i]['certificate']" >"chain$i.pem"; done
check "the chain's issuer" cmp <(openssl x509 -in chain2.pem) <(openssl x509 -in ca/issuer.pem)
check "and root" cmp <(openssl x509 -in chain3.pem) <(openssl x509 -in ca/swtpm-localca-rootca-cert.pem)

# A certificate that is for another key is shown, but not as the key's.
tpm2_nvdefine -Q -C o -s "$(stat -c %s ek0.der)" -a "ownerwrite|ownerread|authread|no_da" 0x01c0000a
tpm2_nvwrite -Q -C o -i ek0.der 0x01c0000a
keyscope --json ek certificates >certificates.json
linked() { python3 -c 'import json; print([c.get("nv_index") for c in json.load(open("certificates.json"))["certificates"]][:3])'; }
if [[ $(linked) == "['0x01c00002', None, '0x01c00016']" ]]; then echo "ok   certificates belong to their keys"; else fail "$(linked)"; fi

# An endorsement hierarchy with an authorization.
credential 0
tpm2_changeauth -Q -c e hidden
refused "without the authorization" 1 "configure endorsement_auth" keyscope ak activate ak --credential credential
echo 'endorsement_auth = "hidden"' >"$KEYSCOPE_CONF"
check "with it configured" keyscope ak activate ak --credential credential --out answer
check "the credential is answered" cmp secret answer
finish
