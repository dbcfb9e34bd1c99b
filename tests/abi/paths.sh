#!/bin/bash
# paths.sh MODULE SOURCE_DIR: the module does not tell where it was built.
set -euo pipefail
if grep -aqF "$2" "$1"; then
  echo "$1 contains $2:"
  strings "$1" | grep -F "$2" | head
  exit 1
fi
