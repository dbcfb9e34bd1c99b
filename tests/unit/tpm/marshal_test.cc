#include "tpm/tss/marshal.h"

#include <gtest/gtest.h>

#include <random>

#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

TPM2B_PUBLIC Example() { return {0, StorageRootTemplate()}; }

TEST(Marshal, PublicAreasGoBothWays) {
  const Bytes bytes = Marshal(Example());
  EXPECT_EQ(Marshal(TPM2B_PUBLIC{0, UnmarshalPublic(bytes).publicArea}), bytes);
  EXPECT_TRUE(IsStorageRoot(UnmarshalPublic(bytes).publicArea));
  EXPECT_EQ(NameOf(Example().publicArea).size(), 2U + 32U);
}

// Whatever the store holds: decoded or Fault::Corrupt, and no crash (run with AddressSanitizer).
TEST(Marshal, HostileBytes) {
  std::mt19937 random(1);
  const Bytes good_public = Marshal(Example());
  const Bytes good_private = Marshal(Tpm2b<TPM2B_PRIVATE>(Bytes(200, 3)));
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = round % 2 == 0 ? good_public : good_private;
    bytes.resize(random() % 4 == 0 ? random() % (bytes.size() + 8) : bytes.size());
    for (unsigned i = random() % 4; i > 0 && !bytes.empty(); --i)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    try {
      if (round % 2 != 0) {
        UnmarshalPrivate(bytes);
        continue;
      }
      const TPMT_PUBLIC area = UnmarshalPublic(bytes).publicArea;
      IsStorageRoot(area);
      NameOf(area);
      PublicKeyOf(area);
    } catch (const Error& error) {
      EXPECT_TRUE(error.Is(Fault::Corrupt)) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Marshal, WhatDoesNotFitIsBadInput) {
  EXPECT_THROW(Tpm2b<TPM2B_DIGEST>(Bytes(65)), Error);
  EXPECT_EQ(View(Tpm2b<TPM2B_DIGEST>(Bytes(64, 9))).size(), 64U);
}

}  // namespace
}  // namespace keyscope::tpm::tss
