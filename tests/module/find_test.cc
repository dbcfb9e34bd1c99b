// Searching (section 5.7.7).
#include <algorithm>

#include "store/object_store.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

class FindObjects : public LoggedIn {
 protected:
  // Data and a key, in the token and in the session.
  void Fill() {
    for (bool token : {false, true}) {
      const Attributes common{{CKA_TOKEN, token}, {CKA_LABEL, "shared"}};
      data.push_back(Create(session, Attributes{{CKA_CLASS, CKO_DATA}}.With(common)));
      keys.push_back(ImportAes(session, Pattern(16), common.With({{CKA_ID, "the id"}})));
    }
  }
  void ExpectFound(Attributes wanted, std::vector<CK_OBJECT_HANDLE> expected) {
    auto found = Find(session, std::move(wanted));
    std::ranges::sort(found);
    std::ranges::sort(expected);
    EXPECT_EQ(found, expected);
  }
  std::vector<CK_OBJECT_HANDLE> data, keys;
};

TEST_F(FindObjects, ByWhatTheTemplateSays) {
  Fill();
  std::vector<CK_OBJECT_HANDLE> all = data;
  all.insert(all.end(), keys.begin(), keys.end());
  ExpectFound({}, all);
  ExpectFound({{CKA_LABEL, "shared"}}, all);
  ExpectFound({{CKA_CLASS, CKO_DATA}}, data);
  ExpectFound({{CKA_ID, "the id"}}, keys);
  ExpectFound({{CKA_CLASS, CKO_SECRET_KEY}, {CKA_ID, "the id"}}, keys);
  ExpectFound({{CKA_CLASS, CKO_DATA}, {CKA_ID, "the id"}}, {});
  ExpectFound({{CKA_TOKEN, true}, {CKA_CLASS, CKO_DATA}}, {data[1]});
  ExpectFound({{CKA_TOKEN, false}}, {data[0], keys[0]});
  ExpectFound({{CKA_KEY_TYPE, CKK_AES}}, keys);
  ExpectFound({{CKA_ENCRYPT, true}}, keys);
  ExpectFound({{CKA_VALUE_LEN, 16}}, keys);
  ExpectFound({{CKA_ID, ""}, {CKA_CLASS, CKO_SECRET_KEY}}, {});
  ExpectFound({{CKA_LABEL, "share"}}, {});
  ExpectFound({{CKA_CLASS, CKO_HW_FEATURE}}, {});
  ExpectFound({{CKA_UNIQUE_ID, Get(session, keys[1], CKA_UNIQUE_ID)}}, {keys[1]});
}

TEST_F(FindObjects, WhatNoObjectHasMatchesNothing) {
  Fill();
  ExpectFound({{0x7fffffffUL, "an attribute that there is not"}}, {});
  ExpectFound({{CKA_CLASS, CKO_DATA}, {CKA_VENDOR_DEFINED | 1UL, 7}}, {});
  ExpectFound({{CKA_CLASS, "short"}}, {});
  ExpectFound({{CKA_TOKEN, Bytes{2}}}, {});
  Attributes contradiction{{CKA_LABEL, "shared"}};
  contradiction.Add({CKA_LABEL, "other"});
  ExpectFound(contradiction, {});
}

TEST_F(FindObjects, OneThatCannotBeReadHidesNoOther) {
  Fill();
  store::ObjectStore store(folder() + "/machine/machine.db", KeyScope::Machine);
  const int64_t row = RowOf(keys[1]);
  ASSERT_TRUE(store.Change(row, [](store::ObjectRow& changed) { changed.body.back() ^= 1; }));
  ExpectFound({}, {data[0], data[1], keys[0]});
  EXPECT_OK(C_DestroyObject(session, keys[1]));
}

TEST_F(FindObjects, SensitiveValuesAreNotGuessed) {
  ImportAes(session, Pattern(16), {{CKA_SENSITIVE, true}});
  ExpectFound({{CKA_VALUE, Pattern(16)}}, {});
}

// An attribute that the store's index has of other kinds of objects only.
TEST_F(FindObjects, DataOfTheTokenByTheirValue) {
  const Attributes common{{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}};
  const CK_OBJECT_HANDLE one = Create(session, common.With({{CKA_VALUE, "one"}}));
  Create(session, common.With({{CKA_VALUE, "two"}}));
  ExpectFound({{CKA_VALUE, "one"}}, {one});
}

TEST_F(FindObjects, OneAtATime) {
  for (int i = 0; i < 70; ++i)  // more than the store hands out at once
    Create(session, {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, i != 0}, {CKA_LABEL, "many"}});
  Attributes wanted{{CKA_LABEL, "many"}};
  ASSERT_OK(C_FindObjectsInit(session, wanted.data(), wanted.size()));
  std::vector<CK_OBJECT_HANDLE> all;
  for (;;) {
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    CK_ULONG count = 7;
    ASSERT_OK(C_FindObjects(session, &found, 1, &count));
    if (count == 0) break;
    ASSERT_EQ(count, 1U);
    all.push_back(found);
  }
  ASSERT_OK(C_FindObjectsFinal(session));
  std::ranges::sort(all);
  EXPECT_EQ(all.size(), 70U);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST_F(FindObjects, OneSearchAtATime) {
  CK_OBJECT_HANDLE found;
  CK_ULONG count = 0;
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_FindObjects(session, &found, 1, &count));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_FindObjectsFinal(session));
  ASSERT_OK(C_FindObjectsInit(session, nullptr, 0));
  EXPECT_RV(CKR_OPERATION_ACTIVE, C_FindObjectsInit(session, nullptr, 0));
  const CK_SESSION_HANDLE other = Open();
  EXPECT_OK(C_FindObjectsInit(other, nullptr, 0)) << "each session has its own";
  ASSERT_OK(C_FindObjectsFinal(session));
  EXPECT_OK(C_FindObjectsInit(session, nullptr, 0));
}

TEST_F(FindObjects, Arguments) {
  Fill();
  CK_ATTRIBUTE null_value{CKA_LABEL, nullptr, 3};
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_FindObjectsInit(session, nullptr, 1));
  EXPECT_NE(C_FindObjectsInit(session, &null_value, 1), CKR_OK);
  ASSERT_OK(C_FindObjectsInit(session, nullptr, 0));
  CK_OBJECT_HANDLE found[8];
  CK_ULONG count = 7;
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_FindObjects(session, found, 8, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_FindObjects(session, nullptr, 8, &count));
  EXPECT_OK(C_FindObjects(session, nullptr, 0, &count));
  EXPECT_EQ(count, 0U);
  EXPECT_OK(C_FindObjects(session, found, ~CK_ULONG{0}, &count));
  EXPECT_EQ(count, 4U);
}

TEST_F(FindObjects, ASearchSeesWhatGoesMeanwhile) {
  Fill();
  ASSERT_OK(C_FindObjectsInit(session, nullptr, 0));
  CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
  CK_ULONG count = 0;
  ASSERT_OK(C_FindObjects(session, &found, 1, &count));
  ASSERT_EQ(count, 1U);
  for (CK_OBJECT_HANDLE object : Find(Open(), {})) {
    if (object == found) continue;
    ASSERT_OK(C_DestroyObject(session, object));
  }
  ASSERT_OK(C_FindObjects(session, &found, 1, &count));
  EXPECT_EQ(count, 0U) << "a handle of a destroyed object";
}

}  // namespace
}  // namespace keyscope::test
