#include <gtest/gtest.h>

#include "token/crypto/der.h"
#include "token/crypto/tss2_key.h"

namespace keyscope::crypto {
namespace {

// As tpm2-openssl 1.1.1 wrote it: P-256, no authorization, the owner's primary.
constexpr std::string_view kReal =
    "3081f006066781050a0103a003010101020440000001045800560023000b000600720000001000100003001000"
    "2081a91709b1db65ec9abacd30020ae96f3e042f1ae24bb6126f2a4fad154a0a9e00204017f45f8a86579b06ec"
    "2631a27b4fb4f0fcd47ab74c6b9836667fcfe583c0be048180007e0020dcb0e9f778c8cb02079b9cf556e02a1f"
    "eaa4aefb7b577c381e56fe514753f1ec001058ceb6471e37fd00d6423e06487ba46276802f271eaeb78f48dff7"
    "d031770a8b459f3e4786e757ee91f00e96b67e42becd143eee38aac0a52d4d18a760b2950a4ad69730b841abf1"
    "1f651e89fc48efe8dbbc2a5b06d4933d0384";

const Bytes& Real() {
  static const Bytes bytes = *FromHex(kReal);
  return bytes;
}

constexpr uint8_t kTrueByte[] = {0xff}, kLoadable[] = {0x67, 0x81, 0x05, 0x0a, 0x01, 0x03},
                  kImportable[] = {0x67, 0x81, 0x05, 0x0a, 0x01, 0x04}, kArea[] = {1, 2},
                  kParent[] = {0x81, 0, 0, 1};

// A key of that type with these fields before its parent.
Bytes With(ByteView type, ByteView fields, ByteView parent = kParent) {
  return der::Write(
      der::kSequence,
      {der::Write(der::kOid, {type}), fields, der::WriteUnsigned(parent),
       der::Write(der::kOctetString, {kArea}), der::Write(der::kOctetString, {kArea})});
}
Bytes Field(uint8_t n, uint8_t tag, ByteView content) {
  return der::Write(der::Context(n), {der::Write(tag, {content})});
}

TEST(CryptoTss2Key, ARealOneIsRead) {
  const auto key = DecodeTss2Key(Real());
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->empty_auth);
  EXPECT_FALSE(key->has_policy || key->rsa_parent);
  EXPECT_TRUE(key->secret.empty());
  EXPECT_EQ(key->parent, 0x40000001U);
  EXPECT_EQ(key->public_area.size(), 88U);
  EXPECT_EQ(key->private_area.size(), 128U);
}

TEST(CryptoTss2Key, NothingCutOrLongerIsRead) {
  for (size_t size = 0; size < Real().size(); ++size)
    EXPECT_FALSE(DecodeTss2Key(ByteView(Real()).first(size))) << size;
  EXPECT_FALSE(DecodeTss2Key(Concat({Real(), kArea})));
}

TEST(CryptoTss2Key, OptionalFieldsAreRead) {
  const auto plain = DecodeTss2Key(With(kLoadable, {}));
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->empty_auth);
  EXPECT_EQ(plain->parent, 0x81000001U);

  const Bytes file = With(kImportable, Field(2, der::kOctetString, kArea));
  const auto importable = DecodeTss2Key(file);
  ASSERT_TRUE(importable);
  EXPECT_TRUE(Equal(importable->secret, kArea));

  for (const auto n : {uint8_t{1}, uint8_t{3}}) {
    const auto bound = DecodeTss2Key(With(kLoadable, Field(n, der::kSequence, {})));
    ASSERT_TRUE(bound);
    EXPECT_TRUE(bound->has_policy);
  }
  const auto described = DecodeTss2Key(
      With(kLoadable, Concat({Field(4, 0x0c, kArea), Field(5, der::kBoolean, kTrueByte)})));
  ASSERT_TRUE(described);
  EXPECT_TRUE(described->rsa_parent);
}

TEST(CryptoTss2Key, ContradictionsAreRefused) {
  EXPECT_FALSE(DecodeTss2Key(With(kImportable, {}))) << "without its secret";
  EXPECT_FALSE(DecodeTss2Key(With(kImportable, Field(2, der::kOctetString, {}))));
  EXPECT_FALSE(DecodeTss2Key(With(kLoadable, Field(2, der::kOctetString, kArea))));
  EXPECT_FALSE(DecodeTss2Key(With(kArea, {}))) << "another type";
  EXPECT_FALSE(DecodeTss2Key(With(kLoadable, {}, Bytes{1, 0, 0, 0, 0}))) << "no handle";
  EXPECT_FALSE(DecodeTss2Key(With(kLoadable, Field(0, der::kBoolean, kArea))));
  EXPECT_FALSE(DecodeTss2Key(With(kLoadable, Field(6, der::kBoolean, kTrueByte))));
  EXPECT_FALSE(DecodeTss2Key(With(
      kLoadable, Concat({Field(5, der::kBoolean, kTrueByte), Field(0, der::kBoolean, kTrueByte)}))))
      << "out of order";
}

}  // namespace
}  // namespace keyscope::crypto
