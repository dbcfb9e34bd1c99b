#!/bin/bash
# Installs what is missing, builds, and runs every test: the release build with the real clients, and the
# same code under AddressSanitizer and UndefinedBehaviorSanitizer. With --windows: the build for Windows,
# under Wine. Ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. tests/support/packages.sh
case "${1:-}" in
  --windows)
    presets=(windows)
    need_packages "${BUILD_PACKAGES[@]}" "${WINDOWS_PACKAGES[@]}"
    tests/support/windows_deps.sh
    trap 'tests/support/wine.sh --stop' EXIT
    ;;
  "")
    presets=(release asan)
    need_packages "${BUILD_PACKAGES[@]}" "${DEMO_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    offer_pkcs11_provider
    ;;
  *)
    echo "usage: $0 [--windows]" >&2
    exit 2
    ;;
esac

passed=0 failed=0 skipped=0
count() { grep -oE "^\\s+$1=\"[0-9]+\"" "$2" | head -1 | grep -oE '[0-9]+'; } # ATTRIBUTE JUNIT_FILE

for preset in "${presets[@]}"; do
  echo "== $preset"
  cmake --preset "$preset"
  cmake --build --preset "$preset" -j2
  results=$PWD/build/$preset/results.xml
  rm -f "$results"
  ctest --preset "$preset" -j3 --output-junit "$results" || true
  bad=$(count failures "$results")
  idle=$(($(count skipped "$results") + $(count disabled "$results")))
  failed=$((failed + bad))
  skipped=$((skipped + idle))
  passed=$((passed + $(count tests "$results") - bad - idle))
done

((skipped == 0)) || echo "$skipped skipped; each says why in build/*/Testing/Temporary/LastTest.log"
echo "$passed passed, $failed failed"
((failed == 0))
