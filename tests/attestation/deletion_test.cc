// Deletion: refusals first, then the record, then the TPM; whatever fails, nothing is left half.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "tests/attestation/attestation_fixture.h"

namespace keyscope::test {
namespace {

using Handles = std::vector<uint32_t>;
const Attributes kPersistent{{CKA_KEYSCOPE_PERSISTENT, true}};
constexpr uint32_t kFailure = 0x101;  // TPM_RC_FAILURE

class Deletion : public Attestation {
 protected:
  // Nothing of `key` is left but, after a partial delete, the note of what the TPM holds.
  void ExpectGone(CK_OBJECT_HANDLE key) {
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, TryGet(session(), key, CKA_LABEL));
    EXPECT_EQ(
        Sql(kMachineSlot, "SELECT count(*) FROM object WHERE id = " + std::to_string(RowOf(key))),
        0);
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session(), key));
  }
  // What is pending is erased by the next login. The TPM restarts before it, because without a
  // resource manager a session whose handle was lost on the way stays.
  void ExpectErasedByLogin() {
    StopTpm();
    swtpm().Start();
    ASSERT_OK(C_Logout(session()));
    ASSERT_OK(Login(session(), CKU_USER, kUserPin));
    EXPECT_EQ(PendingErases(kMachineSlot), 0);
    EXPECT_EQ(PersistentHandles(), Handles{});
  }
};

TEST_F(Deletion, APersistentKeyLivesInTheTpmAndLeavesIt) {
  for (Algorithm algorithm : kAlgorithms) {
    CK_OBJECT_HANDLE ak =
        Make(session(), algorithm, kPersistent.With({{CKA_KEYSCOPE_ATTESTATION_KEY, true}}));
    CK_OBJECT_HANDLE key = Make(session(), algorithm, kPersistent.With(By(session(), ak)));
    const Handles held = PersistentHandles();
    EXPECT_EQ(held.size(), 2U);
    EXPECT_EQ(PendingErases(kMachineSlot), 0);
    EXPECT_NE(std::ranges::find(held, GetUlong(session(), key, CKA_KEYSCOPE_PERSISTENT_HANDLE)),
              held.end());
    EXPECT_FALSE(Sign(session(), key).empty());
    EXPECT_FALSE(Do(kSign, session(), CertifyMechanism(key), ak, Pattern(9)).empty());

    CK_OBJECT_HANDLE copy;
    ASSERT_OK(C_CopyObject(session(), key, nullptr, 0, &copy));
    EXPECT_FALSE(GetBool(session(), copy, CKA_KEYSCOPE_PERSISTENT));
    Restart();
    for (CK_OBJECT_HANDLE* handle : {&ak, &key, &copy}) *handle = Now(session(), *handle);
    EXPECT_FALSE(Sign(session(), key).empty());
    ASSERT_OK(C_DestroyObject(session(), ak));
    ASSERT_OK(C_DestroyObject(session(), key));
    EXPECT_EQ(PersistentHandles(), Handles{});
    EXPECT_FALSE(Sign(session(), copy).empty()) << "a copy does not depend on the handle";
    EXPECT_EQ(PendingErases(kMachineSlot), 0);
  }
  EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID,
            TryGet(session(), Make(session(), Algorithm::Ec), CKA_KEYSCOPE_PERSISTENT_HANDLE));
}

TEST_F(Deletion, ThingsThatRefuse) {
  const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, kPersistent),
                         safe = Make(session(), Algorithm::Ec,
                                     kPersistent.With({{CKA_DESTROYABLE, false}}));
  const CK_SESSION_HANDLE read_only = Open(kMachineSlot, kReadOnly);
  EXPECT_RV(CKR_SESSION_READ_ONLY, C_DestroyObject(read_only, key));
  EXPECT_RV(CKR_ACTION_PROHIBITED, C_DestroyObject(session(), safe));
  ASSERT_OK(C_Logout(session()));
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session(), key));
  ASSERT_OK(Login(session(), CKU_USER, kUserPin));
  EXPECT_FALSE(Sign(session(), Now(session(), key)).empty());
  EXPECT_EQ(PersistentHandles().size(), 2U);
}

TEST_F(Deletion, ASecondOneFindsNothing) {
  const CK_SESSION_HANDLE other = Open();
  for (const Attributes& asked : {Attributes{}, kPersistent}) {
    const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, asked);
    ASSERT_OK(C_DestroyObject(session(), key));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(other, key));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session(), key));
  }
}

TEST_F(Deletion, WithTheTpmGone) {
  const CK_OBJECT_HANDLE ordinary = Make(session(), Algorithm::Ec),
                         persistent = Make(session(), Algorithm::Ec, kPersistent),
                         ak = MakeAk(session());
  StopTpm();
  EXPECT_OK(C_DestroyObject(session(), ordinary));
  EXPECT_OK(C_DestroyObject(session(), ak));
  EXPECT_RV(CKR_KEYSCOPE_PARTIAL_DELETE, C_DestroyObject(session(), persistent));
  for (CK_OBJECT_HANDLE key : {ordinary, ak, persistent}) ExpectGone(key);
  EXPECT_EQ(PendingErases(kMachineSlot), 1);
  swtpm().Start();
  EXPECT_EQ(PersistentHandles().size(), 1U);
  Make(session(), Algorithm::Ec);  // the TPM is at work again
  EXPECT_EQ(PendingErases(kMachineSlot), 0);
  EXPECT_EQ(PersistentHandles(), Handles{});
}

TEST_F(Deletion, WithEveryCommandLost) {
  using enum Harm::Kind;
  for (const Harm& harm :
       {Harm{CutBefore}, Harm{CutAfter}, Harm{Truncate}, Harm{Answer, kFailure}}) {
    bool reached = true;
    for (int skip = 0; reached; ++skip) {
      ASSERT_LT(skip, 20);
      const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, kPersistent);
      proxy().Reset();
      proxy().Inject(skip, harm, 3);  // for good: the retry fails, too
      const CK_RV rv = C_DestroyObject(session(), key);
      reached = proxy().Total() > skip;
      proxy().Inject(0, harm, 0);
      EXPECT_TRUE(rv == CKR_OK || rv == CKR_KEYSCOPE_PARTIAL_DELETE) << rv;
      ExpectGone(key);
      if (rv == CKR_OK) {
        EXPECT_EQ(PendingErases(kMachineSlot), 0);
        EXPECT_EQ(PersistentHandles(), Handles{});
      }
      ExpectErasedByLogin();
    }
  }
}

TEST_F(Deletion, AMakingThatFailsLeavesNothing) {
  using enum Harm::Kind;
  const Attributes asked = kPersistent.With(By(session(), MakeAk(session())));
  const int64_t rows = Rows(kMachineSlot);
  for (const Harm& harm : {Harm{CutBefore}, Harm{CutAfter}, Harm{Answer, kFailure}}) {
    bool reached = true;
    for (int skip = 0; reached; ++skip) {
      ASSERT_LT(skip, 40);
      proxy().Reset();
      proxy().Inject(skip, harm, 3);
      KeyPair pair;
      const CK_RV rv = TryMake(session(), Algorithm::Ec, asked, pair);
      reached = proxy().Total() > skip;
      proxy().Inject(0, harm, 0);
      if (rv == CKR_OK) {
        EXPECT_FALSE(Sign(session(), pair.private_key).empty());
        EXPECT_OK(C_DestroyObject(session(), pair.private_key));
        EXPECT_OK(C_DestroyObject(session(), pair.public_key));
      }
      EXPECT_EQ(Rows(kMachineSlot), rows);
      ExpectErasedByLogin();
    }
  }
}

TEST_F(Deletion, WithTheStoreFull) {
  const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, kPersistent);
  const Handles held = PersistentHandles();
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit nothing{0, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &nothing);
  const CK_RV destroyed = C_DestroyObject(session(), key);
  KeyPair pair;
  const CK_RV made = TryMake(session(), Algorithm::Ec, kPersistent, pair);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_RV(CKR_DEVICE_MEMORY, destroyed);
  EXPECT_RV(CKR_DEVICE_MEMORY, made);
  EXPECT_EQ(PersistentHandles(), held);
  EXPECT_EQ(PendingErases(kMachineSlot), 0);
  EXPECT_FALSE(Sign(session(), key).empty()) << "the record is wholly there";
  EXPECT_OK(C_DestroyObject(session(), key));
}

TEST_F(Deletion, OneCorruptKeyDoesNotHideTheOthers) {
  constexpr int kKeys = 100;
  std::vector<CK_OBJECT_HANDLE> keys;
  for (int i = 0; i < kKeys; ++i)
    keys.push_back(Make(session(), Algorithm::Ec, i == 7 ? kPersistent : Attributes{}));
  auto damage = [&](size_t key, const std::string& assignment, const std::string& table) {
    Sql(kMachineSlot, "UPDATE " + table + " SET " + assignment + " WHERE " +
                          (table == "object" ? "id" : "object_id") + " = " +
                          std::to_string(RowOf(keys[key])));
  };
  damage(3, "body = x'00'", "object");
  damage(7, "body = substr(body, 2)", "object");
  damage(11, "private_area = x'0001'", "key_material");
  damage(12, "auth = x'00'", "key_material");
  const std::vector<size_t> corrupt{3, 7, 11, 12};
  const auto listed = Find(session(), {{CKA_CLASS, CKO_PRIVATE_KEY}});
  for (size_t i = 0; i < keys.size(); ++i) {
    if (std::ranges::find(corrupt, i) != corrupt.end()) continue;
    EXPECT_NE(std::ranges::find(listed, keys[i]), listed.end()) << i;
    EXPECT_FALSE(Sign(session(), keys[i]).empty()) << i;
  }
  for (size_t i : corrupt) {
    EXPECT_NE(Try(kSign, session(), CKM_ECDSA, keys[i], Pattern(32)), CKR_OK) << i;
    EXPECT_OK(C_DestroyObject(session(), keys[i])) << i;
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session(), keys[i]));
  }
  EXPECT_EQ(PersistentHandles(), Handles{}) << "the handle of a corrupt key is known still";
  EXPECT_EQ(Find(session(), {{CKA_CLASS, CKO_PRIVATE_KEY}}).size(), kKeys - corrupt.size());
}

TEST_F(Deletion, AnAkGoesAndItsKeysStay) {
  const CK_OBJECT_HANDLE ak = MakeAk(session());
  const Bytes id = Get(session(), ak, CKA_UNIQUE_ID),
              ak_public = Get(session(), ak, CKA_KEYSCOPE_TPM_PUBLIC);
  CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, By(session(), ak));
  const Attributes by = By(session(), ak);
  ASSERT_OK(C_DestroyObject(session(), ak));
  Restart();
  key = Now(session(), key);
  EXPECT_FALSE(Sign(session(), key).empty());
  EXPECT_EQ(Get(session(), key, CKA_KEYSCOPE_ATTESTED_BY), id);
  EXPECT_EQ(Get(session(), key, CKA_KEYSCOPE_AK_PUBLIC), ak_public);
  EXPECT_EQ(Find(session(), by), std::vector{key});
  KeyPair pair;
  EXPECT_RV(CKR_KEYSCOPE_NO_SUCH_AK, TryMake(session(), Algorithm::Ec, by, pair));
}

TEST_F(Deletion, InitTokenErasesWhatTheOldTokenKept) {
  Make(session(), Algorithm::Ec, kPersistent);
  Make(In(kUserSlot), Algorithm::Ec, kPersistent);
  EXPECT_EQ(PersistentHandles().size(), 2U);
  ASSERT_OK(C_CloseAllSessions(kMachineSlot));
  ASSERT_OK(InitToken(kMachineSlot));
  EXPECT_EQ(PersistentHandles().size(), 1U);
  EXPECT_EQ(PendingErases(kMachineSlot), 0);
  ASSERT_OK(C_CloseAllSessions(kUserSlot));
  ASSERT_OK(InitToken(kUserSlot));
  EXPECT_EQ(PersistentHandles(), Handles{});
}

TEST_F(Deletion, ARemnantOfAnotherProcessIsErasedAtLogin) {
  const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, kPersistent);
  // As a process leaves it that is killed between the TPM's work and the store's.
  Sql(kMachineSlot,
      "INSERT INTO pending_erase(uid, scope, handle, name, reason, attempts)"
      " SELECT uid, 1, handle, name, 'killed', 0 FROM object JOIN key_material ON id = object_id"
      " WHERE handle != 0;"
      "DELETE FROM object WHERE id = " +
          std::to_string(RowOf(key)));
  EXPECT_EQ(PersistentHandles().size(), 1U);
  Restart();
  EXPECT_EQ(PersistentHandles(), Handles{});
  EXPECT_EQ(PendingErases(kMachineSlot), 0);
}

}  // namespace
}  // namespace keyscope::test
