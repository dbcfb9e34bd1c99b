// Objects on their way to and from the store.
#include "token/object.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "p11/keyscope.h"

namespace keyscope::token {
namespace {

Object SecretLabel(bool is_private) {
  Object object;
  object.attributes.SetUlong(CKA_CLASS, CKO_DATA);
  object.attributes.SetBool(CKA_PRIVATE, is_private);
  object.attributes.Set(CKA_LABEL, AsBytes("a very telling label"));
  GiveIdentity(object, KeyScope::User);
  return object;
}

bool Contains(ByteView haystack, std::string_view needle) {
  return AsString(haystack).find(needle) != std::string::npos;
}

const Vault& TheVault() {
  static const auto& vault = *new Vault(SecretBytes(Bytes(32, 7)));
  return vault;
}

TEST(ObjectRow, RoundTrip) {
  for (bool is_private : {false, true}) {
    const Object object = SecretLabel(is_private);
    const store::ObjectRow row = ToRow(object, KeyScope::User, &TheVault());
    const Object back = FromRow(row, &TheVault());
    EXPECT_EQ(back.uid, object.uid);
    EXPECT_EQ(back.kind, kData);
    EXPECT_EQ(AsString(back.attributes.Get(CKA_LABEL)), "a very telling label");
    EXPECT_EQ(AsString(back.attributes.Get(CKA_UNIQUE_ID)), Hex(object.uid));
  }
}

TEST(ObjectRow, APrivateObjectShowsNothing) {
  const store::ObjectRow row = ToRow(SecretLabel(true), KeyScope::User, &TheVault());
  EXPECT_FALSE(Contains(row.body, "telling"));
  for (const store::IndexEntry& entry : row.index) EXPECT_FALSE(Contains(entry.tag, "telling"));
  const store::ObjectRow open = ToRow(SecretLabel(false), KeyScope::User, nullptr);
  EXPECT_TRUE(Contains(open.body, "telling"));
}

TEST(ObjectRow, OpensInItsOwnPlaceOnly) {
  const store::ObjectRow row = ToRow(SecretLabel(true), KeyScope::User, &TheVault());
  store::ObjectRow moved = row;
  moved.scope = KeyScope::Machine;
  EXPECT_THROW(FromRow(moved, &TheVault()), Error);
  store::ObjectRow renamed = row;
  renamed.uid[0] ^= 1;
  EXPECT_THROW(FromRow(renamed, &TheVault()), Error);
  const Vault other(SecretBytes(Bytes(32, 8)));
  EXPECT_THROW(FromRow(row, &other), Error);
  store::ObjectRow shown = ToRow(SecretLabel(false), KeyScope::User, nullptr);
  shown.is_private = true;
  EXPECT_THROW(FromRow(shown, &TheVault()), Error);
}

TEST(ObjectRow, EveryDamagedByteIsNoticed) {
  const store::ObjectRow row = ToRow(SecretLabel(true), KeyScope::User, &TheVault());
  for (size_t i = 0; i < row.body.size(); ++i) {
    store::ObjectRow damaged = row;
    damaged.body[i] ^= 0x10;
    EXPECT_THROW(FromRow(damaged, &TheVault()), Error) << i;
  }
}

// Nor of a public one, but for those by which a body of today is known from an older one.
TEST(ObjectRow, DamageToAPublicObjectIsNoticed) {
  const store::ObjectRow row = ToRow(SecretLabel(false), KeyScope::User, nullptr);
  constexpr size_t kCheck = 16, kHead = 8;
  for (size_t i = 0; i < row.body.size(); ++i) {
    if (i >= row.body.size() - kCheck && i < row.body.size() - kHead) continue;
    store::ObjectRow damaged = row;
    damaged.body[i] ^= 0x10;
    EXPECT_THROW(FromRow(damaged, nullptr), Error) << i;
  }
  store::ObjectRow older = row;
  older.body.resize(row.body.size() - kCheck);
  EXPECT_TRUE(Equal(FromRow(older, nullptr).attributes.Get(CKA_LABEL),
                    FromRow(row, nullptr).attributes.Get(CKA_LABEL)));
}

// The value of the one would be taken for the authorization of the other.
TEST(ObjectRow, ASecretKeyStaysInItsPlace) {
  for (bool in_tpm : {false, true}) {
    Object key;
    key.kind = kAes;
    key.attributes.SetUlong(CKA_CLASS, CKO_SECRET_KEY);
    key.attributes.SetUlong(CKA_KEY_TYPE, CKK_AES);
    key.attributes.SetBool(CKA_PRIVATE, true);
    if (in_tpm) key.attributes.SetBool(CKA_KEYSCOPE_IN_TPM, true);  // old keys do not have it
    GiveIdentity(key, KeyScope::User);
    const Bytes area(in_tpm ? 10 : 0), other(in_tpm ? 0 : 10);
    key.material = {.public_area = area, .private_area = area, .auth = Bytes(32)};
    store::ObjectRow row = ToRow(key, KeyScope::User, &TheVault());
    EXPECT_NO_THROW(FromRow(row, &TheVault()));
    row.material->public_area = other;
    EXPECT_THROW(FromRow(row, &TheVault()), Error);
  }
}

TEST(SearchTags, FindPublicAndPrivateObjects) {
  for (bool is_private : {false, true}) {
    const store::ObjectRow row = ToRow(SecretLabel(is_private), KeyScope::User, &TheVault());
    bool found = false;
    for (const auto& wanted : SearchTags(CKA_LABEL, AsBytes("a very telling label"), &TheVault()))
      for (const auto& entry : row.index)
        found |= entry.type == wanted.type && entry.tag == wanted.tag;
    EXPECT_TRUE(found) << is_private;
  }
  EXPECT_EQ(SearchTags(CKA_LABEL, AsBytes("x"), nullptr).size(), 1u);
}

// Equal values of two attributes, or of two tokens, do not show that they are equal.
TEST(SearchTags, BlindTagsDiffer) {
  const Vault other(SecretBytes(Bytes(32, 8)));
  const Bytes label = TheVault().BlindTag(CKA_LABEL, AsBytes("x"));
  EXPECT_NE(label, TheVault().BlindTag(CKA_ID, AsBytes("x")));
  EXPECT_NE(label, other.BlindTag(CKA_LABEL, AsBytes("x")));
  EXPECT_EQ(label.size(), 16u);
}

}  // namespace
}  // namespace keyscope::token
