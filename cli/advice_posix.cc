#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "cli/advice.h"
#include "tpm/backend.h"

namespace keyscope::cli {
namespace {

// As a shell reads it.
std::string Quoted(const std::string& path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+@%:,";
  if (path.find_first_not_of(kPlain) == path.npos) return path;
  std::string quoted = "'";
  for (char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string UserName() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : std::to_string(geteuid());
}

std::string GroupOf(const std::string& path) {
  struct stat at {};
  if (stat(path.c_str(), &at) != 0) return "tss";
  std::array<char, 4096> buffer{};
  group entry{};
  group* found = nullptr;
  getgrgid_r(at.st_gid, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->gr_name : std::to_string(at.st_gid);
}

// The way in through the group of `path`, which must be one for TPM users and not root's own.
Mend JoinGroup(const std::string& path) {
  std::string group = GroupOf(path);
  Mend mend;
  if (group == "root") {
    group = "tss";
    const std::string at = Quoted(path);
    mend.push_back("sudo chgrp -R tss " + at + " && sudo chmod -R g+rwX " + at);
  }
  mend.push_back("sudo usermod -aG " + group + " " + UserName() + "   # then log in again");
  return mend;
}

bool OthersMayWrite(const std::string& path, bool group_may) {
  struct stat at {};
  return stat(path.c_str(), &at) == 0 && (at.st_mode & (group_may ? 02 : 022)) != 0;
}

constexpr char kAnotherDevice[] =
    "ls -l /dev/tpm*                     # another device: tcti in keyscope.conf";

}  // namespace

std::string WayToTpm(const std::string& tcti) { return "the TPM is reached as " + tcti; }

std::optional<Symptom> WrongWithDevice(const std::string& tcti) {
  constexpr std::string_view kDevice = "device:";
  if (!tcti.starts_with(kDevice)) return std::nullopt;
  const std::string path = tcti.substr(kDevice.size());
  if (access(path.c_str(), R_OK | W_OK) == 0) return std::nullopt;
  const int code = errno;
  const std::string why = path + ": " + std::generic_category().message(code);
  if (code == EACCES)
    return Symptom{"device", false,
                   why + "; it belongs to the group " + GroupOf(path) + ", and " + UserName() +
                       " is not in it",
                   JoinGroup(path)};
  return Symptom{
      "device",
      false,
      why + "; this machine has no TPM that its kernel knows",
      {"sudo modprobe -a tpm_tis tpm_crb   # and turn the TPM on in the firmware's setup",
       kAnotherDevice}};
}

Mend EditConfiguration() { return {"$EDITOR ${KEYSCOPE_CONF:-/etc/keyscope/keyscope.conf}"}; }
Mend ReachTpm() {
  return {"systemctl status tpm2-abrmd         # where the TCTI goes through it", kAnotherDevice};
}
Mend ReadLockout() { return {"tpm2_getcap properties-variable"}; }
Mend ClearLockout() {
  return {std::string(tpm::LockoutCommand()) + "   # with -p if the lockout authorization is set"};
}
Mend ReadStorageRoot() { return {"tpm2_readpublic -c 0x81000001"}; }
Mend NameUserFolder() { return {"export KEYSCOPE_USER_DIR=<folder>"}; }

Mend MoveAside(const std::string& path) {
  return {"mv " + Quoted(path) + " " + Quoted(path + ".damaged") + "   # or a backup"};
}

Mend AllowStore(const StorePlace& place) {
  const bool machine = place.scope == KeyScope::Machine;
  const std::string folder = Quoted(place.folder), path = Quoted(place.path);
  struct stat at {};
  const auto aside = [](const std::string& what) {
    return Mend{"mv " + Quoted(what) + " " + Quoted(what + ".aside")};
  };
  if (lstat(place.folder.c_str(), &at) == 0 && !S_ISDIR(at.st_mode)) return aside(place.folder);
  if (lstat(place.path.c_str(), &at) == 0 && !S_ISREG(at.st_mode)) return aside(place.path);
  if (access(place.path.c_str(), R_OK) != 0)
    return machine ? JoinGroup(place.folder)
                   : Mend{"sudo chown -R " + UserName() + " " + folder, "chmod -R u+rwX " + folder};
  if (OthersMayWrite(place.folder, machine) || OthersMayWrite(place.path, machine))
    return {std::string("chmod -R ") + (machine ? "o= " : "go= ") + folder};
  if (at.st_nlink > 1)
    return {"cp -p " + path + " " + Quoted(place.path + ".copy") + " && mv " +
            Quoted(place.path + ".copy") + " " + path + "   # without its second name"};
  return {"mv -n " + path + " " + Quoted(place.other) + "   # or another place"};
}

}  // namespace keyscope::cli
