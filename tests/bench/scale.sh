#!/bin/bash
# scale.sh [COUNT [PEER_COUNT]]: compares a token of 10 objects with one of COUNT (100,000): the module (MODULE, or the
# release build); and SoftHSM, where it is installed, with PEER_COUNT (2,000): it slows down as it fills.
set -euo pipefail
ROOT=$(dirname "$(readlink -f "$0")")/../..
cd "$ROOT"
. tests/bench/tokens.sh

COUNT=${1:-100000} PEER_COUNT=${2:-2000}
cmake --build "$BUILD" --target keyscope-pkcs11 keyscope_scale >&2
SCALE=$BUILD/tests/bench/keyscope_scale

# compare COUNT MODULE FOLDER SMALL LARGE: the token of the module is in FOLDER; a copy of it is the small one.
compare() {
  local count=$1
  shift
  init_token "$1" 0 >"$WORK/init.log" 2>&1 || { tail -1 "$WORK/init.log" >&2 && return 1; }
  "$SCALE" fill "$1" 10
  cp -a "$2" "$2.small"
  "$SCALE" fill "$1" "$count"
  du -sh "$2" | sed 's/\t.*/ on disk/'
  "$SCALE" compare "$1" "$3" "$4"
}

another_tpm keyscope
use_keyscope "$WORK/keyscope-store" "$TCTI"
compare "$COUNT" "$MODULE" "$WORK/keyscope-store/machine" \
  "KEYSCOPE_MACHINE_DIR=$WORK/keyscope-store/machine.small" "KEYSCOPE_MACHINE_DIR=$WORK/keyscope-store/machine"

if [[ -e $SOFTHSM ]]; then
  use_softhsm "$WORK/softhsm"
  use_softhsm "$WORK/softhsm.small" && rmdir "$WORK/softhsm.small"
  export SOFTHSM2_CONF=$WORK/softhsm.conf
  compare "$PEER_COUNT" "$SOFTHSM" "$WORK/softhsm" "SOFTHSM2_CONF=$WORK/softhsm.small.conf" "SOFTHSM2_CONF=$WORK/softhsm.conf"
fi
