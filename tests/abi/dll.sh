#!/bin/bash
# dll.sh DLL PKCS11F_H: the module for Windows shows every C_ function of the header and nothing else, and
# imports DLLs of Windows only.
set -euo pipefail
table=$(x86_64-w64-mingw32-objdump -p "$1")
shown=$(awk '/\[Ordinal\/Name Pointer\] Table/ {on = 1; next} on && /^\t\[/ {print $NF}' <<<"$table" | sort)
wanted=$(grep -oE '^CK_PKCS11_FUNCTION_INFO\(C_[A-Za-z]+' "$2" | cut -d'(' -f2 | sort)
diff <(echo "$wanted") <(echo "$shown")
of_windows='advapi32|bcrypt|crypt32|kernel32|msvcrt|ncrypt|ole32|shell32|tbs|user32|ws2_32'
if grep -oiE 'DLL Name: .*' <<<"$table" | grep -viE "^DLL Name: ($of_windows)\.dll$"; then
  echo "are no DLLs of Windows"
  exit 1
fi
echo "$(wc -l <<<"$shown") functions"
