#include <pwd.h>
#include <unistd.h>

#include <array>

#include "base/environment.h"
#include "p11/places.h"

namespace keyscope::p11 {
namespace {

std::string Home() {
  std::string home = Environment("HOME");
  if (!home.empty()) return home;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return "";
  return found->pw_dir;
}

// XDG Base Directory Specification: a relative path counts as unset.
std::string UserDir() {
  std::string data = Environment("XDG_DATA_HOME");
  if (data.starts_with('/')) return data + "/keyscope";
  std::string home = Home();
  return home.starts_with('/') ? home + "/.local/share/keyscope" : "";
}

}  // namespace

Places DefaultPlaces() { return {"/etc/keyscope/keyscope.conf", "/var/lib/keyscope", UserDir()}; }

}  // namespace keyscope::p11
