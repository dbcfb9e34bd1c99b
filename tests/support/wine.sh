#!/bin/bash
# wine.sh PROGRAM ARGUMENTS...: runs a program for Windows under Wine, in a prefix below build/ that is made if need be;
# wine.sh --stop ends what Wine left running. Line ends are those of the system that reads them.
set -o pipefail
root=$(dirname "$(readlink -f "$0")")/../..
export WINEPREFIX=${WINEPREFIX:-$(realpath -m "$root/build/windows/wine")} WINEDEBUG=${WINEDEBUG:--all}
wine=/usr/lib/wine # Debian's script `wine` would ask for the 32-bit one
if [[ $1 == --stop ]]; then
  [[ ! -d $WINEPREFIX ]] || "$wine/wineserver" -k || true # nothing to stop
  exit 0
fi
if [[ ! -f $WINEPREFIX/system.reg ]]; then
  mkdir -p "$WINEPREFIX"
  # One makes it; its Mono and Gecko are of no use here.
  flock "$WINEPREFIX" env WINEDLLOVERRIDES=mscoree,mshtml= "$wine/wine64" wineboot -i >/dev/null 2>&1
fi
run() { "$wine/wine64" "$@" | tr -d '\r'; }
if [[ -t 2 ]]; then # which it is to stay for the program
  run "$@"
  exit
fi
# A program whose connection to Wine's server breaks (about one in some thousands) is not at fault.
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
for _ in 1 2; do
  code=0
  { run "$@" 2>&1 >&3 3>&- | tee "$errors" >&2; } 3>&1 || code=$?
  grep -q '^wine client error:' "$errors" || break
  echo "Wine's server was lost: once more" >&2
done
exit $code
