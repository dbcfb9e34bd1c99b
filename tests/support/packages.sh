# shellcheck shell=bash disable=SC2034
# The Debian packages that Keyscope needs, and their installation where they are missing. The README's table
# of dependencies says what each is for.
BUILD_PACKAGES=(g++ cmake ninja-build pkgconf libtss2-dev libssl-dev libsqlite3-dev libnss3-dev
  libnspr4-dev libtomlplusplus-dev libgtest-dev libgmock-dev libcli11-dev nlohmann-json3-dev)
DEMO_PACKAGES=(swtpm tpm2-tools libtss2-tcti-swtpm0 openssl opensc gnutls-bin)
BENCH_PACKAGES=(libbenchmark-dev tpm2-abrmd libtss2-tcti-tabrmd0 dbus-bin dbus-daemon)
TEST_PACKAGES=("${BENCH_PACKAGES[@]}" swtpm-tools p11-kit openssh-client
  openssh-server binutils openjdk-17-jdk-headless libnss3-tools libengine-pkcs11-openssl nginx-light curl
  openvpn gpgsm gpg-agent gnupg-pkcs11-scd cryptsetup-bin
  libtss2-tcti-cmd0 python3-pykcs11 p11-kit-modules tpm2-openssl)
WINDOWS_PACKAGES=(g++-mingw-w64-x86-64-posix wine wine64 googletest dpkg-dev tcl patch xz-utils make perl)

is_missing() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) != installed ]]; }

# need_packages PACKAGE...
need_packages() {
  local package missing=() as_root=()
  for package; do
    if is_missing "$package"; then missing+=("$package"); fi
  done
  ((${#missing[@]} > 0)) || return 0
  if [[ $(id -u) != 0 ]]; then
    as_root=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
      echo "These packages are missing, and only root can install them: ${missing[*]}" >&2
      echo "As root: apt-get install ${missing[*]}" >&2
      return 1
    fi
  fi
  echo "Installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null
}

# pkcs11-provider is in the backports of Debian 12 only. It is asked of the mirror that the machine uses already,
# through a list of our own: the machine's sources stay as they are. Where it cannot be had, its test is skipped.
offer_pkcs11_provider() {
  is_missing pkcs11-provider && [[ $(id -u) == 0 ]] || return 0
  local dir mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null | grep -m1 -oE '^[^ ]+') || return 0
  dir=$(mktemp -d)
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" \
    >"$dir/sources.list"
  local apt=(apt-get -qq -o APT::Sandbox::User=root -o "Dir::Etc::sourcelist=$dir/sources.list"
    -o Dir::Etc::sourceparts=/nonexistent -o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache")
  { "${apt[@]}" update && DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends \
    pkcs11-provider; } >/dev/null 2>&1 || echo "pkcs11-provider cannot be had; its test is skipped"
  rm -rf "$dir"
}
