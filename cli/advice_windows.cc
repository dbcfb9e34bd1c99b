#include "cli/advice.h"
#include "tpm/backend.h"

namespace keyscope::cli {
namespace {

std::string Quoted(const std::string& path) { return "\"" + path + "\""; }

}  // namespace

std::string WayToTpm(const std::string&) {
  return "the TPM is reached through the Platform Crypto Provider";
}
// The provider itself tells.
std::optional<Symptom> WrongWithDevice(const std::string&) { return std::nullopt; }

Mend EditConfiguration() { return {"notepad \"%ProgramData%\\Keyscope\\keyscope.conf\""}; }
Mend ReachTpm() {
  return {"powershell Get-Tpm      as an administrator; turn the TPM on in the firmware's setup",
          "certutil -csp \"Microsoft Platform Crypto Provider\" -csptest"};
}
Mend ReadLockout() { return {"powershell Get-Tpm      as an administrator"}; }
Mend ClearLockout() {
  return {std::string(tpm::LockoutCommand()) +
          "  as an administrator, where the owner authorization is kept"};
}
Mend ReadStorageRoot() {
  return {"powershell Initialize-Tpm  as an administrator: Windows makes it"};
}
Mend NameUserFolder() { return {"set KEYSCOPE_USER_DIR=<folder>"}; }

Mend MoveAside(const std::string& path) {
  return {"move " + Quoted(path) + " " + Quoted(path + ".damaged") + "   or a backup"};
}

Mend AllowStore(const StorePlace& place) {
  const std::string folder = Quoted(place.folder);
  if (place.scope == KeyScope::Machine)
    return {"icacls " + folder + " /setowner Administrators /t   as an administrator",
            "icacls " + folder +
                " /inheritance:r /grant SYSTEM:(OI)(CI)F Administrators:(OI)(CI)F "
                "Users:(OI)(CI)RX"};
  return {"icacls " + folder + " /setowner %USERNAME% /t",
          "icacls " + folder + " /inheritance:r /grant:r %USERNAME%:(OI)(CI)F"};
}

}  // namespace keyscope::cli
