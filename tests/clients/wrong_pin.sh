#!/bin/bash
# wrong_pin.sh MODULE SLOT: a wrong PIN is CKR_PIN_INCORRECT and spends one try of the TPM's; the right one
# works after it; too many are CKR_PIN_LOCKED, which is told in the token's flags.
MODULE=$1 SLOT=$2
. "$(dirname "$0")/common.sh"

tries() {
  tpm2_getcap -T "$TCTI" properties-variable |
    awk '/TPM2_PT_LOCKOUT_COUNTER/ {print $2; exit}'
}
tries_are() { [[ $(($(tries))) == "$1" ]]; }
wrong() { pkcs11 --login --pin 000000 -O; }
right() { as_user -O; }

with_tpm
init_token
check counter_starts_at_zero tries_are 0
check wrong_pin_is_incorrect says CKR_PIN_INCORRECT wrong
check one_try_is_spent tries_are 1
check flags_tell_it says 'user PIN count low' pkcs11 -L
check right_pin_works right
check no_other_try_is_spent tries_are 1

tpm2_dictionarylockout -T "$TCTI" --setup-parameters --max-tries=3 --recovery-time=1000 \
  --lockout-recovery-time=1000 >/dev/null
for _ in 1 2; do wrong >/dev/null 2>&1; done
check lockout_is_pin_locked says CKR_PIN_LOCKED wrong
check lockout_holds_for_the_right_pin says CKR_PIN_LOCKED right
check flags_tell_the_lockout says 'user PIN locked' pkcs11 -L

tpm2_dictionarylockout -T "$TCTI" --clear-lockout
check right_pin_works_after_the_lockout right
finish
