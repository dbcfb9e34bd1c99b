#!/bin/bash
# quiet.sh MODULE SLOT: nothing on stderr, not from the TSS either; in the log when one is asked for.
MODULE=$1 SLOT=$2
. "$(dirname "$0")/common.sh"

quietly() {
  "$@" 2>err >out
  cat err
  [[ ! -s err ]]
}
# pkcs11-tool itself writes "Using slot ..." and the like; ssh-keygen and p11tool say nothing of their own.
fails_quietly() {
  GNUTLS_PIN=000000 p11tool --login --list-privkeys "pkcs11:token=$LABEL" </dev/null >out 2>err
  cat err
  ! grep -qE 'WARNING|ERROR|tcti:|sys:|keyscope\[' err
}

with_tpm
init_token
as_user --keypairgen --key-type EC:prime256v1 --id 12 --label e1 --usage-sign >/dev/null 2>&1
check list_tokens quietly p11tool --list-tokens
check list_objects quietly p11tool --login --list-all "pkcs11:token=$LABEL"
check ssh_keygen quietly ssh-keygen -D "$MODULE"
check wrong_pin fails_quietly
stop_swtpm
check list_tokens_without_tpm quietly p11tool --list-tokens
finish
