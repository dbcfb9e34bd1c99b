# shellcheck shell=bash disable=SC2034
# What these tests share: NAME.sh DRIVER MODULE.
DRIVER=$(readlink -f "$1") MODULE=$2 SLOT=0
. "$(dirname "${BASH_SOURCE[0]}")/../clients/common.sh"
driver() { "$DRIVER" "$MODULE" "$@"; }
# rounds USUAL: or what KEYSCOPE_ROUNDS says.
rounds() { echo "${KEYSCOPE_ROUNDS:-$1}"; }
