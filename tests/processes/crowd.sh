#!/bin/bash
# 8 processes generate, sign and destroy in one store, behind a resource manager. KEYSCOPE_ROUNDS=50: as
# often each.
. "$(dirname "$0")/common.sh"
need tpm2-abrmd dbus-daemon
RESOURCE_MANAGER=abrmd
with_tpm
check init driver init
driver crowd 8 "$(rounds 4)" || FAILED=1
finish
