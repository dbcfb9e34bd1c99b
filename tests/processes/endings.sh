#!/bin/bash
# Processes that end without C_Finalize, with it in an atexit handler, in the middle of a call; and one that
# loads and unloads the module again and again (KEYSCOPE_ROUNDS, usually 1,000 times).
. "$(dirname "$0")/common.sh"
with_tpm
check init driver init

ends() {
  local code=0
  driver end "$1" >out 2>&1 || code=$?
  cat out
  [[ $code == 7 && ! -s out ]] || { echo "exit code $code"; return 1; }
  driver sign 2
}
for how in without-finalize atexit-first atexit-last quick busy; do check "$how" ends "$how"; done
driver reload "$(rounds 1000)" || FAILED=1
finish
