#!/bin/bash
# run.sh [--only TEXT] [--rounds N] [--json FILE] [--svg FILE]: measures the module (MODULE, or the release build)
# beside the raw TPM and OpenSSL, and beside tpm2-pkcs11 and SoftHSM where they are installed; --only: the rows whose
# name has TEXT, --rounds: each so often. scale.sh measures how it takes many objects.
set -euo pipefail
ARGUMENTS=() option=''
for word; do # paths are the caller's
  [[ $option != --@(json|svg) ]] || word=$(readlink -m "$word")
  ARGUMENTS+=("$word") option=$word
done
ROOT=$(dirname "$(readlink -f "$0")")/../..
cd "$ROOT"
. tests/bench/tokens.sh
cmake --build "$BUILD" --target keyscope-pkcs11 keyscope_bench >&2

# tpm2-pkcs11 leaves each key that it generates loaded in the TPM, so all keys are made here.
make_keys() { # MODULE
  local key
  for key in be01:EC:prime256v1 be02:rsa:2048; do
    pkcs11-tool --module "$1" --token-label bench --login --pin 123456 --keypairgen --id "${key%%:*}" \
      --key-type "${key#*:}" --usage-sign --usage-derive --usage-decrypt &&
      { [[ -z $TCTI ]] || tpm2_flushcontext -T "$TCTI" -t; } || return 1
  done
}
new_token() { # MODULE
  { init_token "$1" 0 && make_keys "$1"; } >"$WORK/token.log" 2>&1 && return
  echo "left out: $1: $(tail -1 "$WORK/token.log")" >&2
  return 1
}

# One TPM that processes share through a resource manager, with a token of each module.
another_tpm shared
start_abrmd "$WORK/shared"
SHARED_TCTI=$TCTI
TPM2_PKCS11=$(compgen -G "/usr/lib/*/pkcs11/libtpm2_pkcs11.so" | head -1 || true)

SUBJECTS=(--shared-tcti "$SHARED_TCTI")
use_keyscope "$WORK/shared-keyscope" "$SHARED_TCTI"
new_token "$MODULE"
SHARED_KEYSCOPE=(--shared "KEYSCOPE_TCTI=$SHARED_TCTI" --shared "KEYSCOPE_MACHINE_DIR=$KEYSCOPE_MACHINE_DIR")
if [[ -n $TPM2_PKCS11 ]]; then
  use_tpm2_pkcs11 "$WORK/shared-tpm2-pkcs11" "$SHARED_TCTI"
  new_token "$TPM2_PKCS11" || TPM2_PKCS11=''
  SHARED_TPM2_PKCS11=(--shared "TPM2_PKCS11_STORE=$TPM2_PKCS11_STORE" --shared "TPM2_PKCS11_TCTI=$SHARED_TCTI")
fi

another_tpm floor
SUBJECTS+=(--tcti "$TCTI")
another_tpm keyscope
use_keyscope "$WORK/keyscope-store" "$TCTI"
new_token "$MODULE"
SUBJECTS+=(--module "$MODULE" "${SHARED_KEYSCOPE[@]}")
if [[ -n $TPM2_PKCS11 ]]; then
  another_tpm tpm2-pkcs11
  use_tpm2_pkcs11 "$WORK/tpm2-pkcs11-store" "$TCTI"
  new_token "$TPM2_PKCS11" && SUBJECTS+=(--module "$TPM2_PKCS11" "${SHARED_TPM2_PKCS11[@]}")
fi
TCTI=''
if [[ -e $SOFTHSM ]]; then
  use_softhsm "$WORK/softhsm"
  new_token "$SOFTHSM" && SUBJECTS+=(--module "$SOFTHSM")
fi

"$BUILD/tests/bench/keyscope_bench" "${ARGUMENTS[@]}" "${SUBJECTS[@]}"
