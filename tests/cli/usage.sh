#!/bin/bash
# Exit codes, --json on everything, PINs, and that the manual page and the completion know every command.
. "$(dirname "$0")/common.sh"
with_tpm
ROOT=$HERE/../..

refused "no command" 2 "subcommand" keyscope
refused "an unknown option" 2 "--nonsense" keyscope status --nonsense
refused "no name" 2 "name the key" keyscope key show
refused "a module that is none" 1 "does not load" keyscope --module "$WORK/none.so" key list
refused "a bundle that is none" 3 "it is well formed" bash -c "echo '{}' | '$KEYSCOPE' verify -"
refused "a file that is not there" 2 "cannot be read" keyscope verify none.json
check "help" keyscope --help
says "tells the exit codes" "Exit codes"
check "each command has help" keyscope key certify --help

init_both
(
  unset KEYSCOPE_PIN
  refused "no PIN and no terminal" 2 "wants a PIN" setsid "$KEYSCOPE" key show x
  exit "$FAILED"
) || FAILED=1
echo 123456 >pin
check "a PIN file" env -u KEYSCOPE_PIN "$KEYSCOPE" --pin-file pin key list
refused "a wrong PIN" 1 CKR_PIN_INCORRECT keyscope --pin 999999 key show x
check "the right one" keyscope --pin 123456 key list
KEYSCOPE_LOG=trace KEYSCOPE_LOG_FILE=$WORK/log keyscope --pin 123456 key list >/dev/null
if grep -q 123456 log; then fail "the PIN is in the log"; else echo "ok   the PIN is not in the log"; fi
mkdir tmp
TMPDIR=$WORK/tmp keyscope key list >/dev/null
if [[ -n $(ls tmp | tee out) ]]; then fail "a temporary file stays"; else echo "ok   no temporary file stays"; fi

keyscope ak create a --type p256 >/dev/null
keyscope key create k --type p256 --attest-by a >/dev/null
is_json() { "$KEYSCOPE" --json "$@" | python3 -c 'import json,sys; json.load(sys.stdin)'; }
for command in "status" "doctor" "init" "key list" "key list --offline" "key show k" "key show k --evidence" \
  "key certify k --nonce 01" "ak list" "ak show a" "ek show" "ek certificates" "quote a --nonce 01" \
  "verify none" "erase-pending" "key create k2 --type p256" "key delete k2" "key import none --label x" "ak certificate a" "key certificate k" "certificate list" "certificate show x" \
  "certificate delete x" "cleanup --expired" "nonsense"; do
  read -ra words <<<"$command"
  check "JSON: $command" is_json "${words[@]}"
done

# Every command, from the program's own help.
commands() { keyscope "$@" --help | sed -n '/^Subcommands:/,/^$/p' | awk '/^  [a-z]/ {print $1}'; }
for command in $(commands) $(commands key) $(commands ak) $(commands ek) $(commands certificate); do
  check "the manual knows $command" grep -qE "^\.(BR?|B) .*\b${command//-/\\\\-}\b" "$ROOT/cli/keyscope.1"
  check "the completion knows $command" grep -qw -- "$command" "$ROOT/cli/keyscope.bash"
done
check "the manual is sound" bash -c "! man --warnings -E UTF-8 -l -Tutf8 -Z '$ROOT/cli/keyscope.1' 2>&1 >/dev/null | grep ."
complete_words() { # LINE...: what the completion offers for the last word
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _keyscope
  echo "${COMPREPLY[*]}"
}
. "$ROOT/cli/keyscope.bash"
for group in '' key ak ek certificate; do
  for command in $(commands $group); do
    for option in $(keyscope $group $command --help | grep -oE '^  (-h,)?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
      [[ " $(complete_words keyscope $group $command --) " == *" $option "* ]] || fail "$group $command $option is not completed"
    done
  done
done
[[ $(complete_words keyscope k) == key ]] && echo "ok   completes commands" || fail "commands"
[[ $(complete_words keyscope key del) == delete ]] && echo "ok   completes subcommands" || fail "subcommands"
[[ $(complete_words keyscope key create --sc) == --scope ]] && echo "ok   completes options" || fail "options"
[[ $(complete_words keyscope key create --scope m) == machine ]] && echo "ok   completes values" || fail "values"
finish
