# shellcheck shell=bash
# What the client tests share. Source it with MODULE and SLOT set. It makes a folder of its own under the
# module's, starts a software TPM there and points HOME and every KEYSCOPE_ variable into it.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../support/tpm.sh"

MODULE=$(readlink -f "$MODULE")
WORK=$(mktemp -d "$(dirname "$MODULE")/client-test.XXXXXX")
at_exit "rm -rf '$WORK'"
cd "$WORK" || exit 1

export HOME=$WORK/home XDG_DATA_HOME=$WORK/home/.local/share
export KEYSCOPE_CONF=$WORK/keyscope.conf
export KEYSCOPE_MACHINE_DIR=$WORK/machine KEYSCOPE_USER_DIR=$WORK/user
unset KEYSCOPE_LOG KEYSCOPE_LOG_FILE
mkdir -p "$HOME"
: >"$KEYSCOPE_CONF"

export SOPIN=87654321 USERPIN=123456 LABEL=keyscope-$SLOT
export GNUTLS_SO_PIN=$SOPIN GNUTLS_PIN=$USERPIN
FAILED=0

with_tpm() {
  start_swtpm "$WORK/tpm" || exit 1
  [[ ${RESOURCE_MANAGER:-bare} != abrmd ]] || start_abrmd "$WORK/tpm" || exit 1
  export KEYSCOPE_TCTI=$TCTI
}

restart_tpm() {
  restart_swtpm "$WORK/tpm" || exit 1
  export KEYSCOPE_TCTI=$TCTI
}

pkcs11() { pkcs11-tool --module "$MODULE" --slot "$SLOT" "$@"; }
as_user() { pkcs11 --login --pin "$USERPIN" "$@"; }
p11tool() { command p11tool --provider "$MODULE" "$@"; }

init_token() {
  pkcs11 --init-token --label "$LABEL" --so-pin "$SOPIN" >init.log 2>&1 &&
    pkcs11 --login --login-type so --so-pin "$SOPIN" --init-pin --pin "$USERPIN" >>init.log 2>&1 && return
  cat init.log
  exit 1
}

# issue NAME [OPTION OF openssl x509...]: NAME.pem for a new key, NAME.key, by a CA of our own (ca.pem).
issue() {
  [[ -e ca.pem ]] ||
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=CA -days 30 -keyout ca.key -out ca.pem
  openssl req -new -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" &&
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 "${@:2}" -out "$1.pem"
}
# certify ID LABEL: such a certificate for this key of the token instead, also written into the token.
certify() {
  as_user --read-object --type pubkey --id "$1" -o "$2.pub.der" &&
    openssl pkey -pubin -inform DER -in "$2.pub.der" -out "$2.pub" &&
    issue "$2" -force_pubkey "$2.pub" &&
    openssl x509 -in "$2.pem" -outform DER -out "$2.der" &&
    as_user --write-object "$2.der" --type cert --id "$1" --label "$2"
}

# check NAME COMMAND...: one line, and the command's own words when it failed.
check() {
  local name=$1
  shift
  if "$@" >check.log 2>&1; then
    echo "ok   $name"
  else
    echo "FAIL $name: $*"
    sed 's/^/     /' check.log
    FAILED=$((FAILED + 1))
  fi
}

# says TEXT COMMAND...: the command's output holds TEXT, whatever its exit code.
says() {
  local text=$1
  shift
  "$@" 2>&1 | tee /dev/stderr | grep -q -- "$text"
}

# skip REASON: CTest counts 77 as skipped.
skip() {
  echo "skipped: $*"
  exit 77
}

# need PROGRAM...: skips the test where one is not installed.
need() {
  local program
  for program; do command -v "$program" >/dev/null || skip "$program is not installed"; done
}

# A port of 127.0.0.1 where nobody listens.
free_port() {
  local port
  until port=$((10000 + RANDOM % 9000)) && ! port_open "$port"; do :; done
  echo "$port"
}

finish() { exit $((FAILED != 0)); }
