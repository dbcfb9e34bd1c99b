#!/bin/bash
# includes.sh SOURCE_DIR: dependencies point one way, p11 -> token -> { tpm, store } -> base. Cryptoki is
# a header of p11/ that token/ may use, and that tpm/ and store/ must not know.
set -euo pipefail
cd "$1"
declare -A may=(
  [base]="base"
  [store]="store base"
  [tpm]="tpm base"
  [token]="token tpm store base p11/cryptoki.h p11/keyscope.h"
  [p11]="p11 token tpm base"
  [cli]="cli token tpm store base p11/config.h p11/cryptoki.h p11/keyscope.h p11/rv_name.h"
)
bad=0
for folder in "${!may[@]}"; do
  while IFS=: read -r file line include; do
    target=${include#*\"}
    target=${target%%\"*}
    allowed=no
    for one in ${may[$folder]}; do
      [[ $target == "$one" || $target == "$one"/* ]] && allowed=yes
    done
    if [[ $allowed == no ]]; then
      echo "$file:$line: $folder/ must not include $target"
      bad=1
    fi
  done < <(grep -rnE '^ *# *include *"' --include='*.cc' --include='*.h' "$folder")
done
# Nothing but p11/cryptoki.h may name the header itself; p11/ reads the header's list of functions.
if grep -rnE '# *include *[<"](pkcs11|pkcs11t)\.h' --include='*.cc' --include='*.h' \
  base store tpm token p11 cli | grep -v '^p11/cryptoki.h:'; then
  bad=1
fi
exit $bad
