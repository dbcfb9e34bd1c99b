#!/bin/bash
# A process signs beside an idle one of ours: no session of the idle one stays in the TPM, or the 65,536th
# operation would fail (Part 1, "contextual gap"). KEYSCOPE_ROUNDS=100000: as often.
. "$(dirname "$0")/common.sh"
need tpm2-abrmd dbus-daemon
RESOURCE_MANAGER=abrmd
with_tpm
check init driver init
coproc IDLE { driver idle; }
read -r word <&"${IDLE[0]}"
[[ $word == idle ]] || { echo "FAIL the idle process does not come to rest"; exit 1; }
driver sign "$(rounds 100)" || FAILED=1
pid=$IDLE_PID
exec {IDLE[1]}>&-
wait "$pid" || { echo "FAIL the idle process can sign no more"; FAILED=1; }
finish
