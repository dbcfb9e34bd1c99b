#!/bin/bash
# windows_deps.sh [FOLDER]: what the preset `windows` links and includes, built or copied into FOLDER (build/windows-deps):
# SQLite and OpenSSL from Debian's source packages, GoogleTest from /usr/src, headers from Debian's header
# packages. What is there already is left alone, unless the way it is made has changed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
. tests/support/packages.sh
prefix=$(realpath -m "${1:-build/windows-deps}")
jobs=$(nproc)
toolchain=$PWD/cmake/mingw-w64.cmake
need_packages "${WINDOWS_PACKAGES[@]}"
mkdir -p "$prefix"/{include,lib,share/cmake,stamps}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# source_of PACKAGE: Debian's source package of the machine's own release, unpacked in the current folder. It is asked of
# the mirror that the machine uses already, through a list of our own: the machine's sources stay as they are.
source_of() {
  if [[ ! -d $work/lists ]]; then
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: '"$(. /etc/os-release && echo "$VERSION_CODENAME")" | head -1)
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror" \
      "$(. /etc/os-release && echo "$VERSION_CODENAME") main" >"$work/sources.list"
    "${apt[@]}" update
  fi
  "${apt[@]}" source "$1" >/dev/null
}
apt=(apt-get -qq -o APT::Sandbox::User=root -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/nonexistent
  -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")

make_headers() {
  cp -r /usr/include/{toml++,CLI,nlohmann} "$prefix/include/"
  cp -r /usr/include/{nss,nspr,tss2} "$prefix/include/"
  cp -r /usr/share/cmake/{CLI11,nlohmann_json} "$prefix/share/cmake/"
}

make_sqlite() {
  source_of sqlite3
  cd sqlite3-*/
  ./configure --disable-tcl >/dev/null
  make -s sqlite3.c >/dev/null
  x86_64-w64-mingw32-gcc-posix -O2 -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -c sqlite3.c -o sqlite3.o
  x86_64-w64-mingw32-ar rcs "$prefix/lib/libsqlite3.a" sqlite3.o
  cp sqlite3.h "$prefix/include/"
}

make_openssl() {
  source_of openssl
  cd openssl-*/
  ./Configure mingw64 --cross-compile-prefix=x86_64-w64-mingw32- no-tests no-shared no-legacy no-engine no-dso \
    no-module no-aria no-bf no-blake2 no-camellia no-cast no-cmp no-cms no-ct no-gost no-idea no-mdc2 no-ocsp no-rc2 no-rc4 \
    no-rmd160 no-seed no-siphash no-siv no-sm2 no-sm3 no-sm4 no-srp no-ts no-whirlpool >/dev/null
  make -s -j"$jobs" build_generated >/dev/null
  make -s -j"$jobs" libcrypto.a >/dev/null
  cp libcrypto.a "$prefix/lib/"
  cp -r include/openssl "$prefix/include/"
}

make_googletest() {
  cmake -S /usr/src/googletest -B build -G Ninja --toolchain "$toolchain" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib >/dev/null
  cmake --build build -j"$jobs" --target install >/dev/null
}

for part in headers sqlite openssl googletest; do
  recipe=$(declare -f "make_$part")
  stamp=$prefix/stamps/$part
  [[ -f $stamp && $(<"$stamp") == "$recipe" ]] && continue
  echo "Making $part for Windows"
  mkdir "$work/$part"
  (cd "$work/$part" && "make_$part")
  echo "$recipe" >"$stamp"
done
