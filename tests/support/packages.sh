# shellcheck shell=bash disable=SC2034
# The Debian packages that Keyscope needs, and their installation where they are missing. The README's table
# of dependencies says what each is for.
BUILD_PACKAGES=(g++ cmake ninja-build pkgconf libtss2-dev libssl-dev libsqlite3-dev libnss3-dev
  libnspr4-dev libtomlplusplus-dev libgtest-dev libgmock-dev libbenchmark-dev nlohmann-json3-dev)
DEMO_PACKAGES=(swtpm tpm2-tools libtss2-tcti-swtpm0 openssl opensc gnutls-bin)
TEST_PACKAGES=(tpm2-abrmd libtss2-tcti-tabrmd0 dbus-bin dbus-daemon p11-kit openssh-client
  openssh-server binutils)

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
