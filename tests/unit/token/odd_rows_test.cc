// Rows that nobody wrote through us: they hide no others.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "p11/cryptoki.h"
#include "tests/fakes/fake_backend.h"
#include "tests/module/attributes.h"
#include "tests/unit/p11/environment.h"
#include "tests/unit/token/rv_of.h"
#include "token/session.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

class OddRows : public testing::Test {
 protected:
  void SetUp() override {
    token_.InitToken(In("so-pin"), Bytes(32, ' '));
    for (const char* label : {"one", "two"}) {
      test::Attributes data{{CKA_CLASS, CKO_DATA},
                            {CKA_TOKEN, true},
                            {CKA_PRIVATE, false},
                            {CKA_LABEL, std::string(label)}};
      session_.CreateObject({data.data(), data.size()});
    }
    EXPECT_EQ(Found(), 2U);
  }
  void TearDown() override { session_.Close(); }
  void Sql(const std::string& text) {
    sqlite3* store = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &store), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(store, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(store);
  }
  size_t Found() {
    session_.FindInit({});
    CK_OBJECT_HANDLE found[10];
    const size_t count = session_.Find(found);
    session_.FindFinal();
    return count;
  }

  const p11::test::TempFolder folder_;
  const std::string path_ = folder_ / "user.db";
  Token token_{KeyScope::User, 1, std::make_shared<test::FakeBackend>(), path_};
  Session session_{token_, 1, CKF_SERIAL_SESSION | CKF_RW_SESSION};
};

TEST_F(OddRows, ANumberThatFitsNoHandle) {
  Sql("INSERT INTO object SELECT 1 << 50, randomblob(16), scope, class, private, ak_id, body"
      " FROM object LIMIT 1");
  EXPECT_EQ(Found(), 2U);
}

TEST_F(OddRows, ABodyThatIsLargerThanAny) {
  Sql("UPDATE object SET body = zeroblob(80000000) WHERE id = 1");
  EXPECT_EQ(Found(), 1U);
}

}  // namespace
}  // namespace keyscope::token
