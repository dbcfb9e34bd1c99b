# shellcheck shell=bash
# What the command's tests share: NAME.sh KEYSCOPE MODULE. Makes a folder of its own beside the module, starts
# a software TPM there and points every KEYSCOPE_ variable into it.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../support/tpm.sh"

KEYSCOPE=$(readlink -f "$1") KEYSCOPE_MODULE=$(readlink -f "$2")
WORK=$(mktemp -d "$(dirname "$KEYSCOPE_MODULE")/cli-test.XXXXXX")
at_exit "rm -rf '$WORK'"
cd "$WORK" || exit 1
export KEYSCOPE_MODULE HOME=$WORK KEYSCOPE_CONF=$WORK/keyscope.conf
export KEYSCOPE_MACHINE_DIR=$WORK/machine KEYSCOPE_USER_DIR=$WORK/user
export KEYSCOPE_PIN=123456 KEYSCOPE_SO_PIN=87654321
unset KEYSCOPE_LOG KEYSCOPE_LOG_FILE
: >"$KEYSCOPE_CONF"
FAILED=0

with_tpm() {
  start_swtpm "$WORK/tpm" || exit 1
  export KEYSCOPE_TCTI=$TCTI
}
restart_tpm() {
  stop_swtpm
  with_tpm
}

keyscope() { "$KEYSCOPE" "$@"; }

fail() {
  echo "FAIL $1"
  sed 's/^/     /' out
  FAILED=$((FAILED + 1))
}

# check NAME COMMAND...: it must succeed. Its output stays in `out`.
check() {
  local name=$1
  shift
  if "$@" >out 2>&1; then echo "ok   $name"; else fail "$name (exit code $?): $*"; fi
}

# refused NAME CODE TEXT COMMAND...: it must end with CODE and say TEXT.
refused() {
  local name=$1 code=$2 text=$3 got=0
  shift 3
  "$@" >out 2>&1 || got=$?
  if [[ $got == "$code" ]] && grep -qF -- "$text" out; then
    echo "ok   $name"
  else
    fail "$name (exit code $got, not $code with '$text'): $*"
  fi
}

# says NAME TEXT: the last command's output holds TEXT.
says() { if grep -qF -- "$2" out; then echo "ok   $1"; else fail "$1: no '$2'"; fi; }

# field FILE FILTER: a field of a JSON file, as Python writes it.
field() { python3 -c 'import json,sys; print(eval("d"+sys.argv[2], {"d": json.load(open(sys.argv[1]))}))' "$1" "$2"; }
# bytes FILE FILTER: a base64 field, decoded.
bytes() { field "$1" "$2" | base64 -d; }

init_both() {
  check "the machine token is initialised" keyscope init --scope machine
  check "the user token is initialised" keyscope init --scope user
}

# As an account with no rights, where we may become one and it may reach the command.
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent "$@"; }
can_be_nobody() { [[ $(id -u) == 0 ]] && chmod 755 "$WORK" && as_nobody test -x "$KEYSCOPE"; }

finish() { exit $((FAILED != 0)); }
