#!/bin/bash
# Fuzzes each target for a time: run.sh [SECONDS (1800)] [TARGET...]. Two at a time. What was found
# lies in build/fuzz/found/TARGET-*; inputs that reach new code are added to the corpus there, and
# MERGE=1 copies the smallest set of them into tests/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
seconds=${1:-1800}
shift || true
targets=("$@")
((${#targets[@]} > 0)) || mapfile -t targets < <(ls tests/fuzz/corpus)
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j2 --target "${targets[@]/#/fuzz_}"
mkdir -p build/fuzz/found

fuzz() { # TARGET
  local grown=$PWD/build/fuzz/corpus/$1
  mkdir -p "$grown"
  "build/fuzz/tests/fuzz/fuzz_$1" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 \
    -max_len=4096 -artifact_prefix="build/fuzz/found/$1-" "$grown" "tests/fuzz/corpus/$1" \
    >"build/fuzz/$1.log" 2>&1 || echo "$1: see build/fuzz/$1.log"
  grep -oE '^Done [0-9]+ runs.*' "build/fuzz/$1.log" | sed "s/^/$1: /" || true
  [ -z "${MERGE:-}" ] || "build/fuzz/tests/fuzz/fuzz_$1" -merge=1 "tests/fuzz/corpus/$1" "$grown" \
    >>"build/fuzz/$1.log" 2>&1
}
export -f fuzz
export seconds TMPDIR=/dev/shm # the store is written over and over
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'fuzz {}'
[ -z "$(ls build/fuzz/found)" ]
