// Profile objects (version 3.0, section 4.13).
#include <set>

#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

class Profiles : public Module {};

TEST_F(Profiles, AreFoundByTheirClassWithoutLogin) {
  std::set<Bytes> unique_ids;
  for (CK_SLOT_ID slot : {kMachineSlot, kUserSlot}) {
    const CK_SESSION_HANDLE session = Open(slot, kReadOnly);
    std::set<CK_ULONG> profiles;
    for (CK_OBJECT_HANDLE object : Find(session, {{CKA_CLASS, CKO_PROFILE}})) {
      profiles.insert(GetUlong(session, object, CKA_PROFILE_ID));
      EXPECT_EQ(GetUlong(session, object, CKA_CLASS), CKO_PROFILE);
      EXPECT_TRUE(GetBool(session, object, CKA_TOKEN));
      EXPECT_FALSE(Get(session, object, CKA_LABEL).empty());
      for (CK_ATTRIBUTE_TYPE no : {CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE})
        EXPECT_FALSE(GetBool(session, object, no)) << no;
      EXPECT_TRUE(unique_ids.insert(Get(session, object, CKA_UNIQUE_ID)).second);
      EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID, TryGet(session, object, CKA_KEY_TYPE));
    }
    EXPECT_EQ(profiles, (std::set<CK_ULONG>{CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER}));
    EXPECT_EQ(
        Find(session, {{CKA_CLASS, CKO_PROFILE}, {CKA_PROFILE_ID, CKP_EXTENDED_PROVIDER}}).size(),
        1U);
    EXPECT_TRUE(
        Find(session, {{CKA_CLASS, CKO_PROFILE}, {CKA_PROFILE_ID, CKP_AUTHENTICATION_TOKEN}})
            .empty());
    EXPECT_TRUE(Find(session, {}).empty()) << "only a search that names them";
  }
}

TEST_F(Profiles, AreTheSameInTheNextProcess) {
  const auto ids = [this] {
    std::set<Bytes> found;
    const CK_SESSION_HANDLE session = Open(kUserSlot, kReadOnly);
    for (CK_OBJECT_HANDLE object : Find(session, {{CKA_CLASS, CKO_PROFILE}}))
      found.insert(Get(session, object, CKA_UNIQUE_ID));
    return found;
  };
  const std::set<Bytes> before = ids();
  ASSERT_OK(C_Finalize(nullptr));
  ASSERT_OK(C_Initialize(nullptr));
  EXPECT_EQ(ids(), before);
}

TEST_F(Profiles, NobodyMakesChangesOrDestroysThem) {
  const CK_SESSION_HANDLE session = OpenLoggedIn(kUserSlot);
  const CK_OBJECT_HANDLE profile = Find(session, {{CKA_CLASS, CKO_PROFILE}}).front();
  EXPECT_RV(CKR_ACTION_PROHIBITED, C_DestroyObject(session, profile));
  EXPECT_RV(CKR_ACTION_PROHIBITED, Set(session, profile, {{CKA_LABEL, "mine"}}));
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
  EXPECT_RV(CKR_ACTION_PROHIBITED, C_CopyObject(session, profile, nullptr, 0, &copy));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, {{CKA_CLASS, CKO_PROFILE}}));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, TryCreate(session, {{CKA_CLASS, CKO_PROFILE},
                                                         {CKA_PROFILE_ID, CKP_EXTENDED_PROVIDER}}));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, C_SignInit(session, Mechanism(CKM_ECDSA).get(), profile));
}

}  // namespace
}  // namespace keyscope::test
