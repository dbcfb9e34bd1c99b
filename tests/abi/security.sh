#!/bin/bash
# security.sh SOURCE_DIR: the tests that SECURITY.md names exist.
set -euo pipefail
cd "$1"
missing=0
while IFS=. read -r suite test; do
  grep -rqE "TEST(_F|_P)?\($suite, ${test:-[A-Za-z0-9]+}\)" tests && continue
  [[ $suite == processes ]] && [[ -f tests/processes/$test.sh ]] && continue
  grep -rqE "TEST(_F|_P)?\([A-Za-z]+, $suite\)" tests && continue
  echo "SECURITY.md names ${suite}${test:+.$test}, which there is not"
  missing=1
done < <(grep '^|' SECURITY.md | awk -F'|' '{print $(NF-1)}' | grep -oE '`[A-Za-z]+(\.[A-Za-z0-9]+)?`' | tr -d '`' | sort -u)
exit "$missing"
