#include "cli/diagnosis.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/error.h"
#include "cli/module.h"

namespace keyscope::cli {
namespace {

using Mend = std::vector<std::string>;

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
    mend.push_back("sudo chgrp -R tss " + path + " && sudo chmod -R g+rwX " + path);
  }
  mend.push_back("sudo usermod -aG " + group + " " + UserName() + "   # then log in again");
  return mend;
}

bool OthersMayWrite(const std::string& path, bool group_may) {
  struct stat at {};
  return stat(path.c_str(), &at) == 0 && (at.st_mode & (group_may ? 02 : 022)) != 0;
}

class Doctor {
 public:
  explicit Doctor(Direct& direct) : direct_(direct) {}

  std::vector<Symptom> Look() {
    Configuration();
    has_tpm_ = Device() && Tpm();
    if (has_tpm_) {
      Lockout();
      StorageRoot();
    }
    for (KeyScope scope : {KeyScope::Machine, KeyScope::User}) Store(scope);
    return std::move(symptoms_);
  }

 private:
  void Good(const std::string& check, const std::string& found) {
    symptoms_.push_back({check, true, found, {}});
  }
  void Bad(const std::string& check, const std::string& found, Mend mend) {
    symptoms_.push_back({check, false, found, std::move(mend)});
  }

  void Configuration() {
    for (const std::string& problem : direct_.config().problems)
      Bad("configuration", problem, {"$EDITOR ${KEYSCOPE_CONF:-/etc/keyscope/keyscope.conf}"});
    if (direct_.config().problems.empty())
      Good("configuration", "the TPM is reached as " + direct_.config().tcti);
  }

  // The file of a device: TCTI, as the operating system sees it.
  bool Device() {
    constexpr std::string_view kDevice = "device:";
    const std::string& tcti = direct_.config().tcti;
    if (!tcti.starts_with(kDevice)) return true;
    const std::string path = tcti.substr(kDevice.size());
    if (access(path.c_str(), R_OK | W_OK) == 0) return true;
    const int code = errno;
    const std::string why = path + ": " + std::generic_category().message(code);
    if (code == EACCES)
      Bad("device",
          why + "; it belongs to the group " + GroupOf(path) + ", and " + UserName() +
              " is not in it",
          JoinGroup(path));
    else
      Bad("device", why + "; this machine has no TPM that its kernel knows",
          {"sudo modprobe -a tpm_tis tpm_crb   # and turn the TPM on in the firmware's setup",
           "ls -l /dev/tpm*                     # another device: tcti in keyscope.conf"});
    return false;
  }

  bool Tpm() {
    try {
      direct_.Reach();
      const tpm::Facts facts = direct_.backend().LearnFacts();
      Good("TPM", facts.manufacturer + " " + facts.model + " answers");
      return true;
    } catch (const Error& error) {
      Bad("TPM", error.what(),
          {"systemctl status tpm2-abrmd         # where the TCTI goes through it",
           "ls -l /dev/tpm*                     # another device: tcti in keyscope.conf"});
      return false;
    }
  }

  void Lockout() {
    try {
      const tpm::Lockout lockout = direct_.backend().ReadLockout();
      const std::string tries = std::to_string(lockout.tries_used) + " of " +
                                std::to_string(lockout.max_tries) + " wrong tries are used";
      if (!lockout.in_lockout) {
        Good("lockout", tries);
        return;
      }
      Bad("lockout",
          "the TPM is locked out after wrong PINs: " + tries + "; it gives one back every " +
              std::to_string(lockout.seconds_per_try) + " seconds",
          {"tpm2_dictionarylockout --clear-lockout   # with -p if the lockout authorization is "
           "set"});
    } catch (const Error& error) {
      Bad("lockout", error.what(), {"tpm2_getcap properties-variable"});
    }
  }

  void StorageRoot() {
    try {
      root_ = direct_.StorageRootName();
      Good("storage root", root_ ? "0x81000001 holds " + Hex(*root_)
                                 : "0x81000001 is free; `keyscope init` makes it");
    } catch (const Error& error) {
      Bad("storage root", error.what(), {"tpm2_readpublic -c 0x81000001"});
      has_tpm_ = false;
    }
  }

  void Store(KeyScope scope) {
    const std::string name(Name(scope)), check = name + " token";
    try {
      if (direct_.folder(scope).empty()) {
        Bad(check, "this process has no home folder, so there is no place for the store",
            {"export KEYSCOPE_USER_DIR=<folder>"});
        return;
      }
      const auto token = direct_.store(scope).LoadToken();
      if (!token)
        Bad(check, "not initialised", {"keyscope init --scope " + name});
      else if (!token->user_pin)
        Bad(check, "the user PIN is not set", {"keyscope init --pin-only --scope " + name});
      else
        TokenOnTpm(scope, *token);
    } catch (const Error& error) {
      Bad(check, error.what(), MendStore(scope, error));
    }
  }

  Mend MendStore(KeyScope scope, const Error& error) {
    const std::string folder = direct_.folder(scope), path = direct_.store_path(scope);
    const bool machine = scope == KeyScope::Machine;
    if (!error.Is(Fault::Denied)) return {"mv " + path + " " + path + ".damaged   # or a backup"};
    if (access(path.c_str(), R_OK) != 0)
      return machine
                 ? JoinGroup(folder)
                 : Mend{"sudo chown -R " + UserName() + " " + folder, "chmod -R u+rwX " + folder};
    if (OthersMayWrite(folder, machine) || OthersMayWrite(path, machine))
      return {std::string("chmod -R ") + (machine ? "o= " : "go= ") + folder};
    const KeyScope other = machine ? KeyScope::User : KeyScope::Machine;
    return {"mv -n " + path + " " + direct_.store_path(other) + "   # or another place"};
  }

  // The token's keys hang on the storage root under which they were made.
  void TokenOnTpm(KeyScope scope, const store::TokenRow& token) {
    const std::string name(Name(scope)), check = name + " token";
    const Mend start_again = {"keyscope key list --offline --scope " + name + "   # what is lost",
                              "keyscope key delete --offline --all --scope " + name,
                              "keyscope init --force --scope " + name};
    const std::string cleared =
        "its keys are of another storage root: the TPM was cleared or exchanged, and they are lost";
    const bool known = !has_tpm_ || (root_ && *root_ == token.root_name);
    const bool lost = !known && ((root_ && token.root_handle != 0) || !direct_.StillMakes(token));
    if (lost) {
      Bad(check, cleared, start_again);
    } else if (!known && token.root_handle != 0) {
      Bad(check,
          "the storage root of its keys is missing at 0x81000001; this TPM can make it again",
          {"keyscope init --storage-root"});
    } else {
      Good(check, "'" + Trimmed(token.label) + "' is initialised");
    }
  }

  Direct& direct_;
  std::vector<Symptom> symptoms_;
  bool has_tpm_ = false;
  std::optional<Bytes> root_;
};

}  // namespace

std::vector<Symptom> Diagnose(Direct& direct) { return Doctor(direct).Look(); }

}  // namespace keyscope::cli
