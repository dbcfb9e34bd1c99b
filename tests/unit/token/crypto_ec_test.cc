#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/unit/token/crypto_support.h"
#include "token/crypto/der.h"
#include "token/crypto/ec.h"

namespace keyscope::crypto {
namespace {

using test::Unhex;
using tpm::Curve;

constexpr Curve kAllCurves[] = {Curve::P256, Curve::P384, Curve::P521};

class CryptoEc : public testing::TestWithParam<Curve> {
 protected:
  const CurveInfo& info_ = Info(GetParam());
  tpm::EcPublic NewPublic() { return test::EcPublicOf(test::NewEc(GetParam()), GetParam()); }
  Bytes Order() const {
    Bytes order(info_.field_size());
    BN_bn2binpad(EC_GROUP_get0_order(Group(GetParam())), order.data(),
                 static_cast<int>(order.size()));
    return order;
  }
};
INSTANTIATE_TEST_SUITE_P(Curves, CryptoEc, testing::ValuesIn(kAllCurves),
                         [](const auto& of) { return std::string(Info(of.param).names[0]); });

TEST_P(CryptoEc, ParametersComeBackByOidAndByName) {
  EXPECT_EQ(CurveFromParams(ParamsOf(GetParam())), GetParam());
  for (std::string_view name : info_.names) {
    if (name.empty()) continue;
    EXPECT_EQ(CurveFromParams(der::Write(der::kPrintableString, {AsBytes(name)})), GetParam());
  }
}

TEST_P(CryptoEc, EveryFormOfAPointDecodes) {
  for (int i = 0; i < 8; ++i) {
    const tpm::EcPublic key = NewPublic();
    const uint8_t form[] = {static_cast<uint8_t>(2 + (key.y.back() & 1))};
    const Bytes compressed = Concat({form, key.x});
    for (const Bytes& encoded : {EncodePoint(key), RawPoint(key), compressed,
                                 der::Write(der::kOctetString, {compressed})}) {
      auto decoded = DecodePoint(GetParam(), encoded);
      ASSERT_TRUE(decoded) << Hex(encoded);
      EXPECT_EQ(decoded->curve, GetParam());
      EXPECT_EQ(decoded->x, key.x);
      EXPECT_EQ(decoded->y, key.y);
    }
  }
}

TEST_P(CryptoEc, WhatIsNoPointIsRefused) {
  const tpm::EcPublic key = NewPublic();
  const Bytes raw = RawPoint(key);
  Bytes off_curve = raw;
  off_curve.back() ^= 1;
  Bytes hybrid = raw;
  hybrid[0] = static_cast<uint8_t>(6 + (key.y.back() & 1));
  Bytes too_large(raw.size(), 0xff);
  too_large[0] = 4;
  Bytes longer = raw;
  longer.push_back(0);
  const Bytes infinity = {0};
  for (const Bytes& bad : {off_curve, hybrid, too_large, longer, infinity, Bytes(),
                           Bytes(raw.begin(), raw.end() - 1), Bytes(raw.size(), 0)}) {
    EXPECT_FALSE(DecodePoint(GetParam(), bad)) << Hex(bad);
    EXPECT_FALSE(DecodePoint(GetParam(), der::Write(der::kOctetString, {bad}))) << Hex(bad);
  }
  Bytes trailing = EncodePoint(key);
  trailing.push_back(0);
  EXPECT_FALSE(DecodePoint(GetParam(), trailing));
}

TEST_P(CryptoEc, ScalarsFromOneToOrderLessOne) {
  const ossl::Pkey pair = test::NewEc(GetParam());
  const Bytes scalar = test::NumberOf(pair, OSSL_PKEY_PARAM_PRIV_KEY);
  const tpm::EcPublic expected = test::EcPublicOf(pair, GetParam());
  auto key = PrivateFromScalar(GetParam(), Concat({Bytes(5), scalar}));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key.x, expected.x);
  EXPECT_EQ(key->public_key.y, expected.y);
  EXPECT_TRUE(Equal(key->scalar.view(), PadLeft(scalar, info_.field_size())));

  Bytes largest = Order();
  EXPECT_FALSE(PrivateFromScalar(GetParam(), largest));
  --largest.back();
  EXPECT_TRUE(PrivateFromScalar(GetParam(), largest));
  EXPECT_TRUE(PrivateFromScalar(GetParam(), Bytes{1}));
  for (const Bytes& bad : {Bytes(), Bytes{0}, Bytes(info_.field_size()),
                           Bytes(info_.field_size(), 0xff), Bytes(65536, 0xff)})
    EXPECT_FALSE(PrivateFromScalar(GetParam(), bad));
}

TEST_P(CryptoEc, GarbageIsRefusedQuietly) {
  test::Garbage garbage;
  const Bytes good = EncodePoint(NewPublic());
  for (int i = 0; i < 500; ++i) {
    DecodePoint(GetParam(), garbage.Some(garbage.Below(140)));
    auto decoded = DecodePoint(GetParam(), garbage.Damaged(good));
    EXPECT_TRUE(!decoded || DecodePoint(GetParam(), RawPoint(*decoded)));
    CurveFromParams(garbage.Damaged(ParamsOf(GetParam())));
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(CryptoEcEncoding, P521PointHasALengthOfTwoBytes) {
  const auto key = PrivateFromScalar(Curve::P521, Bytes{1});
  EXPECT_EQ(Hex(ByteView(EncodePoint(key->public_key)).first(4)), "04818504");
}

TEST(CryptoEcEncoding, OtherParametersAreNoCurve) {
  // Nothing, implicitCurve, secp256k1, trailing data, explicit parameters, no name, another name.
  for (const char* hex :
       {"", "0500", "06052b8104000a", "06082a8648ce3d03010700", "3003020101", "1300", "1303502d32"})
    EXPECT_FALSE(CurveFromParams(Unhex(hex))) << hex;
}

}  // namespace
}  // namespace keyscope::crypto
