#!/bin/bash
# install.sh CMAKE BUILD_DIR: what cmake --install puts where.
set -euo pipefail
root=$(mktemp -d "$2/install-test.XXXXXX")
trap 'rm -rf "$root"' EXIT
DESTDIR=$root "$1" --install "$2" >"$root/log"
for file in keyscope-pkcs11.so keyscope.h keyscope.pc keyscope.module keyscope.conf \
  60-keyscope.rules sysusers.d/keyscope.conf tmpfiles.d/keyscope.conf; do
  [[ -n $(find "$root" -path "*/$file" -type f) ]] || { echo "missing: $file"; exit 1; }
done
# The module and its p11-kit entry agree on the place.
named=$(sed -n 's/^module: //p' "$(find "$root" -name keyscope.module)")
[[ -f $root$named ]] || { echo "keyscope.module names $named, which was not installed"; exit 1; }
[[ $named == */pkcs11/keyscope-pkcs11.so ]]
[[ $(find "$root" -name keyscope.h) == */include/keyscope/keyscope.h ]]
