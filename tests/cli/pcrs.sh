#!/bin/bash
# Keys that are bound to PCRs, beside tpm2-tools: which compute the same policy, and change the PCRs.
. "$(dirname "$0")/common.sh"
with_tpm
export TPM2TOOLS_TCTI=$KEYSCOPE_TCTI
init_both
head -c 32 /dev/urandom >digest

check "a key that is bound to PCRs" keyscope --json key create bound --type p256 --scope user --pcrs sha256:16,7,0
says "it says to which" '"sha256:0,7,16"'
check "listed" keyscope --json key list
says "with them" '"pcrs": "sha256:0,7,16"'
check "shown" keyscope --json key show bound --scope user
cp out shown
tpm2_startauthsession -Q -S session
tpm2_policypcr -Q -S session -l sha256:0,7,16
tpm2_policyauthvalue -Q -S session -L policy
tpm2_flushcontext session
if [[ $(field shown "['policy_digest']") == "$(od -An -tx1 policy | tr -d ' \n')" ]]; then
  echo "ok   with the policy that tpm2-tools compute"
else
  fail "another policy"
fi

check "a key that is bound to PCRs of another bank" keyscope key create old --type p256 --scope user --pcrs sha1:0
check "an AK" keyscope ak create ak --type p256 --scope user
check "a bound key that it attests" keyscope key create attested --type p256 --scope user --attest-by ak --pcrs sha256:23
check "certified" keyscope key certify attested --scope user --nonce 0102 --out bundle.json
check "verifies" keyscope verify bundle.json --nonce 0102 --scope user
says "and says that it has a policy" "authPolicy"

refused "a bank that nobody has" 2 "no bank with PCRs" keyscope key create x --scope user --pcrs md5:0
refused "a PCR that nobody has" 2 "no bank with PCRs" keyscope key create x --scope user --pcrs sha256:24
refused "no PCR" 2 "no bank with PCRs" keyscope key create x --scope user --pcrs sha256:
refused "an AK with PCRs" 2 "" keyscope ak create x --scope user --pcrs sha256:0

signs() { # NAME: with its id, as Debian's pkcs11-tool heeds no label
  keyscope --json key show "$1" --scope user >shown &&
    pkcs11-tool --module "$KEYSCOPE_MODULE" --slot 1 --login --pin "$KEYSCOPE_PIN" --sign -m ECDSA \
      --id "$(field shown "['id']")" -i digest -o signature
}
if signs bound >out 2>&1; then
  echo "ok   pkcs11-tool signs"
  tpm2_pcrextend "7:sha256=$(printf '%064d' 1)"
  export KEYSCOPE_LOG=warn KEYSCOPE_LOG_FILE=$WORK/log
  refused "not after PCR 7 was extended" 1 "" signs bound
  cp log out
  says "the log says which" "PCRs sha256:7 no longer have the values"
  says "with its own code" CKR_KEYSCOPE_POLICY_MISMATCH
  check "the other key does" signs attested
  unset KEYSCOPE_LOG KEYSCOPE_LOG_FILE
  restart_tpm
  export TPM2TOOLS_TCTI=$KEYSCOPE_TCTI
  check "and the first again after a restart" signs bound
else
  echo "     (a sanitized module does not load into pkcs11-tool)"
fi

# A bank that is switched off: TPM2_PCR_Allocate works from the next start on.
tpm2_pcrallocate -Q sha1:none+sha256:all+sha384:none+sha512:none
restart_tpm
refused "a bank that is switched off" 1 CKR_ATTRIBUTE_VALUE_INVALID keyscope key create x --scope user --pcrs sha1:0
if [[ -e signature ]]; then
  export KEYSCOPE_LOG=warn KEYSCOPE_LOG_FILE=$WORK/log
  refused "nor is a key used that is bound to it" 1 "" signs old
  tail -1 log >out
  says "and the log says why" "the TPM has no such PCR bank"
  says "with the code" CKR_KEYSCOPE_POLICY_MISMATCH
  unset KEYSCOPE_LOG KEYSCOPE_LOG_FILE
fi
check "the other works" keyscope key create y --scope user --type p256 --pcrs sha256:0
finish
