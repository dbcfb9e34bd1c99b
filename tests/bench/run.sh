#!/bin/bash
# Measures the module (MODULE, or the release build) beside the raw TPM, and beside tpm2-pkcs11 and SoftHSM where
# they are installed, each with a software TPM of its own. --json prints JSON instead of the table.
set -euo pipefail
ROOT=$(dirname "$(readlink -f "$0")")/../..
cd "$ROOT"
. tests/support/tpm.sh

MODULE=$(readlink -f "${MODULE:-build/release/keyscope-pkcs11.so}")
BUILD=$(dirname "$MODULE")
cmake --build "$BUILD" --target keyscope-pkcs11 keyscope_bench >&2
WORK=$(mktemp -d "$PWD/build/bench.XXXXXX")
at_exit "rm -rf '$WORK'"

# Software TPMs beyond the first one of tpm.sh, which knows only one at a time.
MORE_TPMS=()
another_tpm() { # NAME: TCTI is its TCTI string
  start_swtpm "$WORK/$1"
  MORE_TPMS+=("$SWTPM_PID")
}
# shellcheck disable=SC2016
at_exit 'kill "${MORE_TPMS[@]}" 2>/dev/null'

init_token() { # MODULE
  pkcs11-tool --module "$1" --slot-index 0 --init-token --label bench --so-pin 87654321
  pkcs11-tool --module "$1" --token-label bench --login --login-type so --so-pin 87654321 \
    --init-pin --pin 123456
}
subject() { # MODULE: it takes part when its token can be set up
  if ! init_token "$1" >"$WORK/init.log" 2>&1; then
    echo "left out: $1: $(tail -1 "$WORK/init.log")" >&2
    return 1
  fi
  SUBJECTS+=(--module "$1")
}
# tpm2-pkcs11 leaves each key that it generates loaded in the TPM, so its keys are made here.
make_keys() { # MODULE
  local key
  for key in be01:EC:prime256v1 be02:rsa:2048; do
    pkcs11-tool --module "$1" --token-label bench --login --pin 123456 --keypairgen \
      --id "${key%%:*}" --key-type "${key#*:}" >"$WORK/keys.log" 2>&1
    tpm2_flushcontext -T "$TCTI" -t
  done
}

another_tpm raw
SUBJECTS=(--tcti "$TCTI")

another_tpm keyscope
export KEYSCOPE_CONF=$WORK/keyscope.conf KEYSCOPE_TCTI=$TCTI
export KEYSCOPE_MACHINE_DIR=$WORK/machine KEYSCOPE_USER_DIR=$WORK/user
unset KEYSCOPE_LOG KEYSCOPE_LOG_FILE
: >"$KEYSCOPE_CONF"
subject "$MODULE"

for peer in /usr/lib/*/pkcs11/libtpm2_pkcs11.so; do
  [[ -e $peer ]] || continue
  another_tpm tpm2-pkcs11
  mkdir "$WORK/tpm2-store"
  export TPM2_PKCS11_STORE=$WORK/tpm2-store TPM2_PKCS11_TCTI=$TCTI TSS2_LOG=all+NONE
  if subject "$peer"; then make_keys "$peer"; fi
  break
done

SOFTHSM=/usr/lib/softhsm/libsofthsm2.so
if [[ -e $SOFTHSM ]]; then
  mkdir "$WORK/softhsm"
  export SOFTHSM2_CONF=$WORK/softhsm2.conf
  echo "directories.tokendir = $WORK/softhsm" >"$SOFTHSM2_CONF"
  subject "$SOFTHSM" || true
fi

"$BUILD/tests/bench/keyscope_bench" "$@" "${SUBJECTS[@]}"
