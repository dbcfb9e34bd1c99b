// What is read of objects that a store holds as nobody made them.
#include "token/read.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_backend.h"
#include "tests/unit/p11/environment.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

TEST(ReadAttribute, AnUnknownAttributeOfATemplateIsBytes) {
  const p11::test::TempFolder folder;
  Token token(KeyScope::User, 1, std::make_shared<test::FakeBackend>(), folder / "user.db");
  AttributeSet held;
  held.Set(0x12345678, AsBytes("abc"));
  Object object;
  object.kind = kRsaPublic;
  object.attributes.Set(CKA_WRAP_TEMPLATE, Encode(held));
  char room[8] = {};
  CK_ATTRIBUTE inner{0, room, sizeof room};
  CK_ATTRIBUTE outer{CKA_WRAP_TEMPLATE, &inner, sizeof inner};
  EXPECT_EQ(ReadAttribute(object, token, outer), CKR_OK);
  EXPECT_EQ(inner.type, 0x12345678U);
  EXPECT_EQ(std::string_view(room, inner.ulValueLen), "abc");
}

}  // namespace
}  // namespace keyscope::token
