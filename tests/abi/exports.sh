#!/bin/bash
# exports.sh MODULE PKCS11F_H: the module shows every C_ function of the header, and nothing else.
set -euo pipefail
shown=$(nm -D --defined-only "$1" | awk '{print $3}' | sort)
wanted=$(grep -oE '^CK_PKCS11_FUNCTION_INFO\(C_[A-Za-z]+' "$2" | cut -d'(' -f2 | sort)
diff <(echo "$wanted") <(echo "$shown") && echo "$(wc -l <<<"$shown") functions"
