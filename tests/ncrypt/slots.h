// Both slots of the module over the double, as an application sees them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/contract/double_subject.h"
#include "tests/module/attributes.h"
#include "tests/module/must.h"

// After the PKCS #11 header.
#include "p11/keyscope.h"

namespace keyscope::test {

inline constexpr CK_SLOT_ID kMachineSlot = 0, kUserSlot = 1;
inline constexpr CK_SLOT_ID kSlots[] = {kMachineSlot, kUserSlot};
inline constexpr KeyScope kScopeOf[] = {KeyScope::Machine, KeyScope::User};

struct Pair {
  CK_OBJECT_HANDLE public_key = 0, private_key = 0;
};

// The module in this process: its stores in `folder`, its user logged in to both slots.
class Slots {
 public:
  explicit Slots(const std::filesystem::path& folder);
  ~Slots();
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  static void InitTokens(const std::filesystem::path& folder);

  CK_SESSION_HANDLE In(CK_SLOT_ID slot) const { return sessions_[slot]; }
  void LoginAgain(CK_SLOT_ID slot);

  // Token keys, P-256 or RSA-2048; the attributes go to the private half.
  CK_RV TryMake(CK_SLOT_ID slot, bool rsa, const Attributes& asked, Pair& pair);
  Pair Make(CK_SLOT_ID slot, bool rsa = false, const Attributes& asked = {});
  Pair MakeAk(CK_SLOT_ID slot) { return Make(slot, true, {{CKA_KEYSCOPE_ATTESTATION_KEY, true}}); }
  Bytes Get(CK_SLOT_ID slot, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
  std::vector<CK_OBJECT_HANDLE> Find(CK_SLOT_ID slot, Attributes wanted);
  CK_RV TrySign(CK_SLOT_ID slot, const Mechanism& mechanism, CK_OBJECT_HANDLE key,
                const Bytes& data, Bytes& signature);
  // Signs and verifies with the pair's own algorithm.
  bool Works(CK_SLOT_ID slot, const Pair& pair);

 private:
  CK_SESSION_HANDLE sessions_[2] = {};
};

// What the store of a slot has: the first number of the query's answer.
int64_t Sql(const std::filesystem::path& folder, CK_SLOT_ID slot, const std::string& query);

}  // namespace keyscope::test
