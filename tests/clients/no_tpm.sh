#!/bin/bash
# no_tpm.sh MODULE: without a TPM there are two slots and no token, silently; one line in the log if there is
# one. A TPM that comes later is seen.
MODULE=$1 SLOT=0
. "$(dirname "$0")/common.sh"

export KEYSCOPE_TCTI=swtpm:host=127.0.0.1,port=1
two_slots() { (($(pkcs11-tool --module "$MODULE" --list-slots | grep -c '^Slot [01] ') == 2)); }
no_token() { (($(pkcs11-tool --module "$MODULE" --list-slots | grep -c '(empty)') == 2)); }
silent() {
  pkcs11-tool --module "$MODULE" --list-slots 2>err
  cat err
  [[ ! -s err ]]
}
one_line() {
  KEYSCOPE_LOG=warn KEYSCOPE_LOG_FILE=$WORK/log pkcs11-tool --module "$MODULE" --list-slots
  cat log
  (($(wc -l <log) == 1)) && grep -q 'port=1' log
}

check two_slots two_slots
check no_token_present no_token
check nothing_on_stderr silent
check one_line_in_the_log one_line
with_tpm
check a_later_tpm_is_seen init_token
finish
