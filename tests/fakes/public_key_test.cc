#include "tests/fakes/public_key.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace keyscope::test {
namespace {

using tpm::Curve;
using tpm::EcPublic;

TEST(PublicKey, BothSidesAgree) {
  for (Curve curve : {Curve::P256, Curve::P384, Curve::P521}) {
    const ossl::Pkey one = GenerateEc(curve), other = GenerateEc(curve);
    const SecretBytes x = SharedX(*one, *ToPkey(PointOf(*other, curve)));
    EXPECT_EQ(x.size(), FieldSize(curve));
    EXPECT_TRUE(Equal(x.view(), SharedX(*other, *ToPkey(PointOf(*one, curve))).view()));
  }
}

TEST(PublicKey, PointsOffTheCurveAreBadInput) {
  EcPublic point = PointOf(*GenerateEc(Curve::P256), Curve::P256);
  point.y[0] ^= 1;
  const EcPublic points[] = {point,
                             {Curve::P256, {}, {}},
                             {Curve::P384, Bytes(48), Bytes(48)},
                             {Curve::P256, Bytes(32, 0xff), Bytes(32, 0xff)}};
  for (const EcPublic& bad : points) {
    try {
      ToPkey(bad);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_TRUE(error.Is(Fault::BadInput)) << error.what();
    }
  }
}

}  // namespace
}  // namespace keyscope::test
