// Scopes: which keys an AK attests, that nothing stays of a refusal, and that restarts change
// nothing.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "tests/attestation/attestation_fixture.h"
#include "tests/module/openssl.h"

namespace keyscope::test {
namespace {

constexpr CK_ULONG kScopes[] = {KEYSCOPE_SCOPE_MACHINE, KEYSCOPE_SCOPE_USER};  // by slot
constexpr CK_ULONG kUnset = 0;
constexpr const char* kScopeNames[] = {"machine", "user"};

struct Made {
  CK_SLOT_ID slot;
  CK_OBJECT_HANDLE key;
  Bytes ak, evidence;
};

TEST_F(Attestation, KeysHaveTheScopeOfTheirSlotAndOfTheirAk) {
  std::vector<Made> made;
  for (Algorithm algorithm : kAlgorithms) {
    const CK_OBJECT_HANDLE aks[] = {MakeAk(In(kMachineSlot), algorithm),
                                    MakeAk(In(kUserSlot), algorithm)};
    for (CK_SLOT_ID ak_slot : kSlots)
      for (CK_SLOT_ID slot : kSlots)
        for (CK_ULONG scope : {kScopes[0], kScopes[1], kUnset}) {
          SCOPED_TRACE(testing::Message() << "AK of slot " << ak_slot << ", key of slot " << slot
                                          << ", scope " << scope);
          Attributes asked = By(In(ak_slot), aks[ak_slot]);
          if (scope != kUnset) asked = asked.With({{CKA_KEYSCOPE_SCOPE, scope}});
          const bool fits = ak_slot == slot && (scope == kUnset || scope == kScopes[slot]);
          const auto before = Traces();
          TakeLog();
          KeyPair pair;
          ASSERT_RV(fits ? CKR_OK : CKR_TEMPLATE_INCONSISTENT,
                    TryMake(In(slot), algorithm, asked, pair));
          if (fits) {
            made.push_back({slot, pair.private_key, Get(In(slot), aks[slot], CKA_UNIQUE_ID),
                            Get(In(slot), pair.private_key, CKA_KEYSCOPE_ATTEST)});
            continue;
          }
          EXPECT_EQ(Traces(), before);
          if (scope != kUnset && scope != kScopes[slot]) continue;  // refused for that alone
          const std::string log = TakeLog();
          for (std::string part : {"inherit the scope of their attestation key", "this one has ",
                                   "make the key in the "})
            EXPECT_NE(log.find(part), std::string::npos) << part << " is not in " << log;
          EXPECT_NE(log.find(std::string("this one has ") + kScopeNames[ak_slot] + " scope"),
                    std::string::npos)
              << log;
        }
  }

  Restart();
  for (Made& one : made) {
    one.key = Now(In(one.slot), one.key);
    EXPECT_EQ(GetUlong(In(one.slot), one.key, CKA_KEYSCOPE_SCOPE), kScopes[one.slot]);
    EXPECT_EQ(Get(In(one.slot), one.key, CKA_KEYSCOPE_ATTESTED_BY), one.ak);
    EXPECT_EQ(Get(In(one.slot), one.key, CKA_KEYSCOPE_ATTEST), one.evidence);
    EXPECT_FALSE(Sign(In(one.slot), one.key).empty());
    const auto found =
        Find(In(one.slot), {{CKA_CLASS, CKO_PRIVATE_KEY}, {CKA_KEYSCOPE_ATTESTED_BY, one.ak}});
    EXPECT_EQ(found.size(), 2U);
    EXPECT_NE(std::ranges::find(found, one.key), found.end());
    EXPECT_EQ(Sql(one.slot, "SELECT count(*) FROM object WHERE ak_id = '" + AsString(one.ak) + "'"),
              3)
        << "two keys and the AK itself";
  }
  for (CK_SLOT_ID slot : kSlots)
    EXPECT_EQ(Find(In(slot), {{CKA_KEYSCOPE_ATTESTATION_KEY, true}}).size(), 2U);
}

TEST_F(Attestation, AnUnknownAkIsNone) {
  const CK_OBJECT_HANDLE ordinary = Make(session(), Algorithm::Ec);
  const auto before = Traces();
  KeyPair pair;
  for (const Bytes& id : {Text(std::string(32, '0')), Text("x"), Bytes(2000, 0xff),
                          Get(session(), ordinary, CKA_UNIQUE_ID)}) {
    const Attributes asked{{CKA_KEYSCOPE_ATTESTED_BY, id}};
    EXPECT_RV(CKR_KEYSCOPE_NO_SUCH_AK, TryMake(session(), Algorithm::Ec, asked, pair));
    EXPECT_RV(CKR_KEYSCOPE_NO_SUCH_AK, TryMake(In(kUserSlot), Algorithm::Ec, asked, pair));
  }
  EXPECT_EQ(Traces(), before);
}

TEST_F(Attestation, AnAkOfTheOtherSlotIsKnownWithoutALoginThere) {
  const Attributes by = By(In(kUserSlot), MakeAk(In(kUserSlot)));
  ASSERT_OK(C_Logout(In(kUserSlot)));
  KeyPair pair;
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, TryMake(session(), Algorithm::Ec, by, pair));

  ASSERT_OK(Login(In(kUserSlot), CKU_USER, kUserPin));
  const KeyPair of_session =
      GenerateEc(In(kUserSlot), P256(), {{CKA_KEYSCOPE_ATTESTATION_KEY, true}});
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
            TryMake(session(), Algorithm::Ec, By(In(kUserSlot), of_session.private_key), pair));
}

TEST_F(Attestation, CertificatesMayBeForKeysOfTheOtherScope) {
  const Certificate certificate = SelfSigned();
  const Attributes asked{{CKA_CLASS, CKO_CERTIFICATE},
                         {CKA_CERTIFICATE_TYPE, CKC_X_509},
                         {CKA_TOKEN, true},
                         {CKA_VALUE, certificate.der},
                         {CKA_SUBJECT, certificate.subject}};
  std::vector<std::pair<CK_SLOT_ID, CK_OBJECT_HANDLE>> made;
  for (CK_SLOT_ID slot : kSlots) {
    for (CK_ULONG scope : kScopes)
      made.push_back({slot, Create(In(slot), asked.With({{CKA_KEYSCOPE_SCOPE, scope}}))});
    made.push_back({slot, Create(In(slot), asked)});
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(In(slot), asked.With({{CKA_KEYSCOPE_SCOPE, 3}})));
  }
  Restart();
  for (size_t i = 0; i < made.size(); ++i) {
    const auto [slot, object] = made[i];
    EXPECT_EQ(GetUlong(In(slot), object, CKA_KEYSCOPE_SCOPE),
              i % 3 == 2 ? kScopes[slot] : kScopes[i % 3]);
  }
}

TEST_F(Attestation, RowsDoNotMoveBetweenScopes) {
  const CK_OBJECT_HANDLE mine = Make(session(), Algorithm::Ec), ak = MakeAk(session());
  const CK_OBJECT_HANDLE theirs = Make(In(kUserSlot), Algorithm::Ec);
  const int64_t user_rows = Rows(kUserSlot);
  const std::string attach = "ATTACH '" + StorePath(kMachineSlot) + "' AS machine;";
  // Once as they are, once with the scope changed as if they had been made here.
  for (const char* scope : {"scope", "2"}) {
    const std::string uid = scope == std::string("2") ? "randomblob(16)" : "uid";
    Sql(kUserSlot, attach + "INSERT INTO object SELECT id + " + (uid == "uid" ? "1000" : "2000") +
                       ", " + uid + ", " + scope +
                       ", class, private, ak_id, body"
                       " FROM machine.object;"
                       "INSERT INTO key_material SELECT object_id + " +
                       (uid == "uid" ? "1000" : "2000") +
                       ", public_area, private_area, auth, handle, name FROM machine.key_material");
  }
  TakeLog();
  EXPECT_EQ(static_cast<int64_t>(Find(In(kUserSlot), {}).size()), user_rows);
  EXPECT_FALSE(TakeLog().empty());
  EXPECT_FALSE(Sign(In(kUserSlot), theirs).empty());
  for (CK_OBJECT_HANDLE key : {mine, ak})
    for (CK_OBJECT_HANDLE offset : {1000, 2000}) {
      const CK_OBJECT_HANDLE moved = ((key >> 2) + offset) << 2 | 2;
      EXPECT_RV(CKR_DEVICE_ERROR, C_SignInit(In(kUserSlot), Mechanism(CKM_ECDSA).get(), moved));
      EXPECT_OK(C_DestroyObject(In(kUserSlot), moved));
    }
  EXPECT_FALSE(Sign(session(), mine).empty());
}

TEST_F(Attestation, AStoreInTheOtherOnesPlaceIsRefused) {
  ASSERT_OK(C_Finalize(nullptr));
  std::filesystem::copy_file(StorePath(kMachineSlot), StorePath(kUserSlot),
                             std::filesystem::copy_options::overwrite_existing);
  TakeLog();
  ASSERT_OK(C_Initialize(nullptr));
  CK_SESSION_HANDLE session;
  EXPECT_RV(CKR_TOKEN_NOT_PRESENT,
            C_OpenSession(kUserSlot, kReadWrite, nullptr, nullptr, &session));
  EXPECT_NE(TakeLog().find("machine scope"), std::string::npos);
  EXPECT_OK(C_OpenSession(kMachineSlot, kReadWrite, nullptr, nullptr, &session));
}

}  // namespace
}  // namespace keyscope::test
