#!/bin/bash
# clients_sh.sh MODULE SLOT bare|abrmd SHARED_DIR: the checks of clients.sh that expected.txt names must say
# ok; the others may fail, for they wait for later work. 77 (skipped) where SHARED_DIR has no clients.sh.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3 CLIENTS=$4/clients/clients.sh
if [[ ! -f $CLIENTS ]]; then
  echo "skipped: $CLIENTS is not here"
  exit 77
fi
CLIENTS=$(readlink -f "$CLIENTS")
. "$(dirname "$0")/common.sh"

with_tpm
init_token
# Ports of its own, so that several runs can go on at a time.
TLSPORT=$(free_port) SSHPORT=$(free_port)
export MODULE SLOT TLSPORT SSHPORT
bash "$CLIENTS" "$WORK/clients" 2>&1 | tee result

awk -v id="$(id -u)" '!/^#/ && ($2 != "root" || id == 0) {print $1}' "$HERE/expected.txt" | sort >wanted
sed -n 's/^ok  *\([^ ]*\).*/\1/p' result | sort >passed
missing=$(comm -23 wanted passed)
[[ -z $missing ]] || {
  echo "expected to say ok, but did not:"
  echo "$missing"
  cat "$WORK/clients/sshd/log"
  exit 1
}
