# shellcheck shell=bash
# What run.sh and scale.sh share: tokens of the module and of its peers, each with a software TPM of its own.
# To be sourced in the project's folder. BENCH_DIR is where the stores are (/dev/shm leaves the disk out of it).
. tests/support/packages.sh
. tests/support/tpm.sh
need_packages "${BUILD_PACKAGES[@]}" "${DEMO_PACKAGES[@]}" "${BENCH_PACKAGES[@]}" >&2

MODULE=$(readlink -m "${MODULE:-build/release/keyscope-pkcs11.so}")
BUILD=$(dirname "$MODULE")
# Anew: libbenchmark-dev may have come since.
if [[ -e $BUILD/CMakeCache.txt ]]; then cmake "$BUILD"; else cmake --preset release; fi >&2
SOFTHSM=/usr/lib/softhsm/libsofthsm2.so
WORK=$(mktemp -d "${BENCH_DIR:-$PWD/build}/bench.XXXXXX")
at_exit "rm -rf '$WORK'"

# Software TPMs beyond the last one of tpm.sh, which knows only one at a time.
MORE_TPMS=()
another_tpm() { # NAME: TCTI is its TCTI string
  start_swtpm "$WORK/$1"
  MORE_TPMS+=("$SWTPM_PID")
}
# shellcheck disable=SC2016
at_exit 'kill "${MORE_TPMS[@]}" 2>/dev/null'

use_keyscope() { # FOLDER TCTI
  mkdir -p "$1"
  unset KEYSCOPE_LOG KEYSCOPE_LOG_FILE
  export KEYSCOPE_CONF=$1/keyscope.conf KEYSCOPE_TCTI=$2
  export KEYSCOPE_MACHINE_DIR=$1/machine KEYSCOPE_USER_DIR=$1/user
  : >"$KEYSCOPE_CONF"
}
use_tpm2_pkcs11() { # FOLDER TCTI
  mkdir -p "$1"
  export TPM2_PKCS11_STORE=$1 TPM2_PKCS11_TCTI=$2 TSS2_LOG=all+NONE
}
use_softhsm() { # FOLDER
  mkdir -p "$1"
  export SOFTHSM2_CONF=$1.conf
  printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$1" >"$SOFTHSM2_CONF"
}

init_token() { # MODULE SLOT_INDEX
  pkcs11-tool --module "$1" --slot-index "$2" --init-token --label bench --so-pin 87654321 &&
    pkcs11-tool --module "$1" --token-label bench --login --login-type so --so-pin 87654321 \
      --init-pin --pin 123456
}
