#!/bin/bash
# with_double.sh BUILD_FOLDER PROGRAM ARGUMENTS...: runs a program for Windows under Wine with the double's DLLs in the
# place of the system's, because the module takes ncrypt.dll and tbs.dll from the system's folder only.
set -euo pipefail
build=$1
shift
wine=$(dirname "$(readlink -f "$0")")/../../support/wine.sh
export WINEPREFIX=${WINEPREFIX:-$build/wine}
[[ -f $WINEPREFIX/system.reg ]] || "$wine" cmd /c exit
for dll in ncrypt tbs; do
  place=$WINEPREFIX/drive_c/windows/system32/$dll.dll
  # Tests that begin at the same time do so too: a whole file takes the other's place.
  cmp -s "$build/double/$dll.dll" "$place" || { cp "$build/double/$dll.dll" "$place.$$" && mv -f "$place.$$" "$place"; }
done
export WINEDLLOVERRIDES="ncrypt,tbs=n,b"
exec "$wine" "$@"
