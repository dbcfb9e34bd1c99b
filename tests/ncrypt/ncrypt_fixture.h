// A double with two initialised tokens, and what is looked at after each step.
#pragma once

#include <optional>

#include "tests/ncrypt/slots.h"

namespace keyscope::test {

class Ncrypt : public testing::Test {
 protected:
  Ncrypt() {
    Slots::InitTokens(folder());
    slots.emplace(folder());
    device.TakeCalls();
  }

  const std::filesystem::path& folder() const { return device.folder(); }
  void Restart() {
    slots.reset();
    slots.emplace(folder());
  }

  int64_t Notes(CK_SLOT_ID slot) {
    return Sql(folder(), slot, "SELECT count(*) FROM pending_erase");
  }
  int64_t NamedRows(CK_SLOT_ID slot) {
    return Sql(folder(), slot, "SELECT count(*) FROM key_material WHERE length(name) != 0");
  }
  int64_t Rows(CK_SLOT_ID slot) { return Sql(folder(), slot, "SELECT count(*) FROM object"); }
  int64_t Files(CK_SLOT_ID slot) {
    return static_cast<int64_t>(device.KeyFiles(kScopeOf[slot]).size());
  }

  DoubleSubject device;
  std::optional<Slots> slots;
};

inline std::string NameOfSlot(const testing::TestParamInfo<CK_SLOT_ID>& slot) {
  return std::string(Name(kScopeOf[slot.param]));
}

}  // namespace keyscope::test
