#!/bin/bash
# pykcs11.sh MODULE SLOT bare|abrmd: pykcs11.py, on Debian's PyKCS11.
MODULE=$1 SLOT=$2 RESOURCE_MANAGER=$3
. "$(dirname "$0")/common.sh"
/usr/bin/python3 -c 'import PyKCS11' 2>/dev/null || skip "Debian's python3-pykcs11 is not here"

with_tpm
init_token
check pykcs11 /usr/bin/python3 "$HERE/pykcs11.py" "$MODULE" "$SLOT" "$USERPIN"
check public_key_verifies openssl dgst -sha256 -verify rsa.pem -signature rsa.sig message
finish
