#!/bin/bash
# A set-user-ID program does not follow its caller's environment (secure_getenv): not to another TPM, not
# to another store.
. "$(dirname "$0")/common.sh"
[[ $(id -u) == 0 ]] || skip "needs root to make a set-user-ID program"
with_tpm
driver init
chmod 755 "$WORK"
cp "$DRIVER" driver
seen=$(./driver "$MODULE" look)
[[ $seen == "secure 0, token shared" ]] || { echo "FAIL the token is not seen: $seen"; exit 1; }
chown nobody driver && chmod u+s driver
seen=$(./driver "$MODULE" look)
[[ $seen == "secure 1,"* ]] || skip "set-user-ID has no effect in $WORK"
[[ $seen != *shared* ]] || { echo "FAIL the caller's environment was followed: $seen"; exit 1; }
echo "ok   $seen"
