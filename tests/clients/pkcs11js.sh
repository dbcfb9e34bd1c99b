#!/bin/bash
# pkcs11js.sh MODULE SLOT bare|abrmd: pkcs11js.js, on the npm package of that name, which npm compiles.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
npm install --no-audit --no-fund --nodedir=/usr --prefix "$WORK" pkcs11js@2.1.7 >npm.log 2>&1 &&
  [[ -f node_modules/pkcs11js/build/Release/pkcs11.node ]] ||
  skip "npm cannot install pkcs11js: $(tail -1 npm.log)"

with_tpm
init_token
check pkcs11js env NODE_PATH="$WORK/node_modules" node "$HERE/pkcs11js.js" "$MODULE" "$SLOT" "$USERPIN"
finish
