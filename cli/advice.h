// What mends what `keyscope doctor` finds, in the commands of this system.
#pragma once

#include <optional>
#include <string>

#include "base/scope.h"
#include "cli/diagnosis.h"

namespace keyscope::cli {

using Mend = std::vector<std::string>;

std::string WayToTpm(const std::string& tcti);  // "the TPM is reached as ..."
// What the operating system has against the device of `tcti`; nullopt: nothing, or it has none.
std::optional<Symptom> WrongWithDevice(const std::string& tcti);

Mend EditConfiguration();
Mend ReachTpm();
Mend ReadLockout();
Mend ClearLockout();
Mend ReadStorageRoot();
Mend NameUserFolder();

struct StorePlace {
  KeyScope scope;
  std::string folder, path;
  std::string other;  // where the other scope's store would be
};
Mend MoveAside(const std::string& path);
Mend AllowStore(const StorePlace& place);  // Fault::Denied

}  // namespace keyscope::cli
