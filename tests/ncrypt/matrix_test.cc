// The seed's matrix: the scope of each key reaches the flags of every call about it.
#include <algorithm>

#include "tests/ncrypt/ncrypt_fixture.h"

namespace keyscope::test {
namespace {

constexpr const char* kFlagsOf[] = {"flags=0x00000020", "flags=0x00000000"};
constexpr const char* kScopeName[] = {"scope=machine", "scope=user"};

// Every call that names a key says its slot's scope; how many there were of the three that are told
// it by flags.
struct Seen {
  int created = 0, opened = 0, deleted = 0, signed_with = 0, certified = 0;
};

bool Has(const std::string& line, const std::string& part) {
  return line.find(part) != std::string::npos;
}

Seen CheckScopes(const std::vector<std::string>& calls, CK_SLOT_ID slot) {
  Seen seen;
  for (const std::string& call : calls) {
    const bool named = Has(call, "name=keyscope-");
    const std::string function = call.substr(0, call.find(' '));
    EXPECT_TRUE(Has(call, "= 0x00000000") || Has(call, "IsAlgSupported")) << call;
    if (function == "NCryptCreatePersistedKey" || function == "NCryptOpenKey") {
      EXPECT_TRUE(named) << call;
      EXPECT_TRUE(Has(call, kFlagsOf[slot])) << call;
      ++(function == "NCryptOpenKey" ? seen.opened : seen.created);
    } else if (named) {
      EXPECT_TRUE(Has(call, kScopeName[slot])) << call;
    }
    seen.deleted += function == "NCryptDeleteKey";
    seen.signed_with += function == "NCryptSignHash" ? 1 : 0;
    seen.certified += Has(call, "code=0x00000148");
  }
  return seen;
}

TEST_F(Ncrypt, EachScopeReachesTheFlagsOfEveryCall) {
  for (CK_SLOT_ID slot : kSlots) {
    SCOPED_TRACE(Name(kScopeOf[slot]));
    const CK_SLOT_ID other = 1 - slot;
    const int64_t others = Files(other);
    const Pair pair = slots->Make(slot);
    Seen seen = CheckScopes(device.TakeCalls(), slot);
    EXPECT_EQ(seen.created, 1);
    EXPECT_EQ(Files(slot), 1);
    EXPECT_EQ(Files(other), others) << "nothing in the other name space";

    Restart();
    device.TakeCalls();
    EXPECT_TRUE(slots->Works(slot, pair));
    seen = CheckScopes(device.TakeCalls(), slot);
    EXPECT_EQ(seen.opened, 1);
    EXPECT_GE(seen.signed_with, 1);
    EXPECT_TRUE(slots->Works(slot, pair));
    EXPECT_EQ(CheckScopes(device.TakeCalls(), slot).opened, 0) << "it stays open";

    const Pair ak = slots->MakeAk(slot);
    seen = CheckScopes(device.TakeCalls(), slot);
    EXPECT_EQ(seen.created, 1);
    Restart();
    device.TakeCalls();
    Bytes statement;
    const Mechanism certify(CKM_KEYSCOPE_CERTIFY,
                            BytesOf(CK_KEYSCOPE_CERTIFY_PARAMS{pair.private_key}));
    EXPECT_EQ(slots->TrySign(slot, certify, ak.private_key, Bytes(20, 1), statement), CKR_OK);
    seen = CheckScopes(device.TakeCalls(), slot);
    EXPECT_EQ(seen.opened, 2) << "the key and the AK";
    EXPECT_EQ(seen.certified, 1);
    EXPECT_EQ(Files(slot), 2);

    for (const Pair& one : {pair, ak}) {
      EXPECT_EQ(C_DestroyObject(slots->In(slot), one.private_key), CKR_OK);
      seen = CheckScopes(device.TakeCalls(), slot);
      EXPECT_EQ(seen.opened, 1);
      EXPECT_EQ(seen.deleted, 1);
    }
    EXPECT_EQ(Files(slot), 0);
    EXPECT_EQ(Notes(slot), 0);
  }
}

// A session object has no name, so it has no scope in the provider either.
TEST_F(Ncrypt, SessionKeysAreNotKept) {
  for (CK_SLOT_ID slot : kSlots) {
    const Pair pair = slots->Make(slot, false, {{CKA_TOKEN, false}});
    EXPECT_TRUE(slots->Works(slot, pair));
    EXPECT_EQ(Files(slot), 0);
    EXPECT_EQ(Notes(slot), 0);
  }
}

TEST_F(Ncrypt, AnAttestedKeyHasTheScopeOfItsAk) {
  for (CK_SLOT_ID of_ak : kSlots) {
    const Pair ak = slots->MakeAk(of_ak);
    const Attributes by{
        {CKA_KEYSCOPE_ATTESTED_BY, slots->Get(of_ak, ak.private_key, CKA_UNIQUE_ID)}};
    for (CK_SLOT_ID of_key : kSlots) {
      SCOPED_TRACE(std::string(Name(kScopeOf[of_ak])) + " AK, key " +
                   std::string(Name(kScopeOf[of_key])));
      const int64_t rows = Rows(of_key), files = Files(of_key);
      device.TakeCalls();
      Pair pair;
      const CK_RV rv = slots->TryMake(of_key, false, by, pair);
      const Seen seen = CheckScopes(device.TakeCalls(), of_key);
      EXPECT_EQ(seen.created, of_ak == of_key ? 1 : 0);
      EXPECT_EQ(seen.certified, of_ak == of_key ? 1 : 0);
      if (of_ak == of_key) {
        ASSERT_EQ(rv, CKR_OK);
        EXPECT_TRUE(slots->Works(of_key, pair));
        EXPECT_FALSE(slots->Get(of_key, pair.private_key, CKA_KEYSCOPE_ATTEST).empty());
        EXPECT_EQ(Files(of_key), files + 1);
      } else {
        EXPECT_EQ(rv, CKR_TEMPLATE_INCONSISTENT);
        EXPECT_EQ(Rows(of_key), rows);
        EXPECT_EQ(Files(of_key), files);
      }
      EXPECT_EQ(Notes(of_key), 0);
    }
  }
}

TEST_F(Ncrypt, CertificatesAndKeysHaveTheirOwnSlots) {
  for (CK_SLOT_ID of_certificate : kSlots) {
    const CK_SLOT_ID of_key = 1 - of_certificate;
    const Pair pair = slots->Make(of_key, false, {{CKA_ID, Bytes(4, 7)}});
    Attributes certificate{{CKA_CLASS, CKO_CERTIFICATE},
                           {CKA_CERTIFICATE_TYPE, CKC_X_509},
                           {CKA_TOKEN, true},
                           {CKA_ID, Bytes(4, 7)},
                           {CKA_SUBJECT, Bytes{0x30, 0}},
                           {CKA_URL, "https://example.test/certificate"},
                           {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, Bytes(20, 1)},
                           {CKA_HASH_OF_ISSUER_PUBLIC_KEY, Bytes(20, 2)},
                           {CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(kScopeOf[of_key])}};
    CK_OBJECT_HANDLE object = 0;
    ASSERT_EQ(
        C_CreateObject(slots->In(of_certificate), certificate.data(), certificate.size(), &object),
        CKR_OK);
    Restart();
    EXPECT_EQ(slots->Get(of_certificate, object, CKA_KEYSCOPE_SCOPE),
              BytesOf(static_cast<CK_ULONG>(kScopeOf[of_key])));
    EXPECT_TRUE(slots->Works(of_key, pair));
    EXPECT_EQ(C_DestroyObject(slots->In(of_certificate), object), CKR_OK);
    EXPECT_TRUE(slots->Works(of_key, pair)) << "the key stays";
  }
}

TEST_F(Ncrypt, KeysOfTheMachineNeedRights) {
  SetVariable("KEYSCOPE_DOUBLE_RIGHTS", "user");
  Pair pair;
  EXPECT_EQ(slots->TryMake(kMachineSlot, false, {}, pair), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(slots->TryMake(kUserSlot, false, {}, pair), CKR_OK);
  EXPECT_EQ(Rows(kMachineSlot), 0);
  EXPECT_EQ(Files(kMachineSlot), 0);
  EXPECT_EQ(Notes(kMachineSlot), 0);
}

// Another account's user slot is its own profile, and LocalSystem's is not the machine's.
TEST_F(Ncrypt, EachAccountHasItsOwnUserKeys) {
  const Pair mine = slots->Make(kUserSlot), machines = slots->Make(kMachineSlot);
  SetVariable("KEYSCOPE_DOUBLE_ACCOUNT", "SYSTEM");
  Restart();
  EXPECT_FALSE(slots->Works(kUserSlot, mine)) << "the store was copied, the key was not";
  EXPECT_TRUE(slots->Works(kMachineSlot, machines));
  SetVariable("KEYSCOPE_DOUBLE_ACCOUNT", "");
  Restart();
  EXPECT_TRUE(slots->Works(kUserSlot, mine));
}

}  // namespace
}  // namespace keyscope::test
