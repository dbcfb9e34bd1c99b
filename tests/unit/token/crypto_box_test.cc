#include <gtest/gtest.h>
#include <openssl/err.h>

#include "base/error.h"
#include "tests/unit/token/crypto_support.h"
#include "token/crypto/box.h"

namespace keyscope::crypto {
namespace {

const SecretBytes& Key() {
  static const auto& key = *new SecretBytes(Bytes(32, 7));
  return key;
}

TEST(CryptoBox, OpensWithItsKeyAndIdentityOnly) {
  for (size_t size : {0u, 1u, 16u, 1000u}) {
    const Bytes plaintext = test::Garbage().Some(size);
    const Bytes box = SealBox(Key(), AsBytes("row 1"), plaintext);
    auto opened = OpenBox(Key(), AsBytes("row 1"), box);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(Equal(opened->view(), plaintext));
    EXPECT_FALSE(OpenBox(Key(), AsBytes("row 2"), box));
    EXPECT_FALSE(OpenBox(SecretBytes(Bytes(32, 8)), AsBytes("row 1"), box));
    EXPECT_NE(box, SealBox(Key(), AsBytes("row 1"), plaintext));
  }
}

TEST(CryptoBox, EveryDamageIsNoticed) {
  const Bytes box = SealBox(Key(), {}, AsBytes("secret"));
  for (size_t i = 0; i < box.size(); ++i) {
    Bytes bad = box;
    bad[i] ^= 1;
    EXPECT_FALSE(OpenBox(Key(), {}, bad)) << i;
    EXPECT_FALSE(OpenBox(Key(), {}, ByteView(box).first(i))) << i;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(CryptoBox, AKeyOfAnotherSizeIsOurMistake) {
  EXPECT_THROW(SealBox(SecretBytes(Bytes(16)), {}, {}), Error);
}

TEST(CryptoBox, PurposesGiveUnrelatedKeys) {
  const SecretBytes one = DeriveKey(Key(), "one");
  EXPECT_EQ(one.size(), 32u);
  EXPECT_TRUE(Equal(one.view(), DeriveKey(Key(), "one").view()));
  EXPECT_FALSE(Equal(one.view(), DeriveKey(Key(), "two").view()));
  EXPECT_TRUE(Equal(one.view(), HmacSha256(Key().view(), {AsBytes("o"), AsBytes("ne")}).view()));
}

}  // namespace
}  // namespace keyscope::crypto
