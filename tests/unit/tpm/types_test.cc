#include "tpm/types.h"

#include <gtest/gtest.h>

namespace keyscope::tpm {
namespace {

TEST(Facts, GoThroughPairs) {
  Facts facts;
  facts.manufacturer = "IBM";
  facts.model = "SW TPM, no. 1";
  facts.firmware_major = 0x2019;
  facts.firmware_minor = 4294967295U;
  facts.hashes = {Hash::Sha1, Hash::Sha3_512};
  facts.curves = {Curve::P521, Curve::P256};
  facts.rsa_bits = {1024, 4096};
  facts.aes_bits = {128, 256};
  facts.raw_rsa = facts.hmac = true;
  const auto pairs = facts.ToPairs();
  EXPECT_EQ(pairs.at("hashes"), "SHA1,SHA3-512");
  const Facts read = Facts::FromPairs(pairs);
  EXPECT_EQ(read.manufacturer, facts.manufacturer);
  EXPECT_EQ(read.model, facts.model);
  EXPECT_EQ(read.firmware_major, facts.firmware_major);
  EXPECT_EQ(read.firmware_minor, facts.firmware_minor);
  EXPECT_EQ(read.hashes, facts.hashes);
  EXPECT_EQ(read.curves, facts.curves);
  EXPECT_EQ(read.rsa_bits, facts.rsa_bits);
  EXPECT_EQ(read.aes_bits, facts.aes_bits);
  EXPECT_TRUE(read.raw_rsa && read.hmac);
}

TEST(Facts, BrokenPairsAreIgnored) {
  const Facts read = Facts::FromPairs({{"hashes", ",,MD5,SHA256,,sha256"},
                                       {"curves", ","},
                                       {"rsa_bits", "2048,-1,99999999999999999999,3072x,,4096"},
                                       {"firmware_major", "1 "},
                                       {"firmware_minor", ""},
                                       {"raw_rsa", "yes"},
                                       {"nonsense", "1"}});
  EXPECT_EQ(read.hashes, std::vector{Hash::Sha256});
  EXPECT_TRUE(read.curves.empty());
  EXPECT_EQ(read.rsa_bits, (std::vector{2048U, 4096U}));
  EXPECT_EQ(read.firmware_major, 0U);
  EXPECT_FALSE(read.raw_rsa);
  EXPECT_TRUE(Facts::FromPairs({}).hashes.empty());
}

TEST(Names, OfNothing) {
  EXPECT_STREQ(Name(Hash::None), "");
  EXPECT_EQ(DigestSize(Hash::None), 0U);
  EXPECT_EQ(DigestSize(Hash::Sha384), 48U);
  EXPECT_EQ(FieldSize(Curve::P521), 66U);
  EXPECT_EQ(LongestHmacKey(Hash::Sha1), 64U);
  EXPECT_EQ(LongestHmacKey(Hash::Sha3_256), 128U);
}

}  // namespace
}  // namespace keyscope::tpm
