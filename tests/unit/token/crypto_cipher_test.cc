#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/unit/token/crypto_support.h"
#include "token/crypto/cipher.h"

namespace keyscope::crypto {
namespace {

using test::Garbage;
using test::Unhex;
using enum Direction;

constexpr CipherMode kAllModes[] = {CipherMode::Ecb, CipherMode::Cbc,    CipherMode::CbcPad,
                                    CipherMode::Ctr, CipherMode::Cfb128, CipherMode::Ofb,
                                    CipherMode::Gcm};

struct Outcome {
  CipherStatus status;
  Bytes bytes;
};

// Feeds `input` in pieces, and checks on the way that the sizes told before are those that come.
Outcome Through(Cipher cipher, ByteView input, Garbage* pieces = nullptr) {
  Outcome outcome{};
  while (true) {
    const size_t piece = pieces == nullptr ? input.size() : pieces->Below(40);
    const ByteView part = input.first(std::min(piece, input.size()));
    const size_t told = cipher.UpdateSize(part.size());
    const size_t told_final = cipher.FinalSize(part.size());
    CipherResult result = cipher.Update(part);
    if (result.status != CipherStatus::Ok) return {result.status, {}};
    EXPECT_EQ(result.bytes.size(), told);
    EXPECT_EQ(cipher.FinalSize(), told_final);
    Append(outcome.bytes, result.bytes.view());
    input = input.subspan(part.size());
    if (input.empty()) break;
  }
  const size_t told = cipher.FinalSize();
  CipherResult result = cipher.Final();
  EXPECT_LE(result.bytes.size(), told);
  outcome.status = result.status;
  Append(outcome.bytes, result.bytes.view());
  return outcome;
}

class CryptoCipher : public testing::TestWithParam<CipherMode> {
 protected:
  Cipher Start(Direction direction, size_t tag_size = 16) const {
    const CipherParams params{.iv = GetParam() == CipherMode::Ecb ? ByteView() : ByteView(iv_),
                              .aad = AsBytes("header"),
                              .tag_size = tag_size};
    return *Cipher::Start(GetParam(), direction, HostAes(key_), params);
  }
  bool WholeBlocksOnly() const {
    return GetParam() == CipherMode::Ecb || GetParam() == CipherMode::Cbc;
  }

  const Bytes key_ = Garbage().Some(32);
  const Bytes iv_ = Garbage().Some(16);
};
INSTANTIATE_TEST_SUITE_P(Modes, CryptoCipher, testing::ValuesIn(kAllModes));

TEST_P(CryptoCipher, ComesBackWholeAndInPieces) {
  Garbage garbage;
  for (size_t size = 0; size < 100; ++size) {
    const Bytes plaintext = garbage.Some(size);
    const Outcome encrypted = Through(Start(Encrypt), plaintext);
    if (WholeBlocksOnly() && size % kAesBlock != 0) {
      EXPECT_EQ(encrypted.status, CipherStatus::DataLenRange);
      continue;
    }
    ASSERT_EQ(encrypted.status, CipherStatus::Ok);
    EXPECT_EQ(Through(Start(Encrypt), plaintext, &garbage).bytes, encrypted.bytes);
    const Outcome decrypted = Through(Start(Decrypt), encrypted.bytes);
    ASSERT_EQ(decrypted.status, CipherStatus::Ok);
    EXPECT_EQ(decrypted.bytes, plaintext);
    EXPECT_EQ(Through(Start(Decrypt), encrypted.bytes, &garbage).bytes, plaintext);
  }
}

TEST_P(CryptoCipher, GarbageIsRefusedOrDecryptedQuietly) {
  Garbage garbage;
  for (int i = 0; i < 500; ++i) Through(Start(Decrypt), garbage.Some(garbage.Below(100)), &garbage);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// NIST SP 800-38A, appendix F: the first block with the 128-bit key.
TEST(CryptoCipherVectors, Sp80038a) {
  const Bytes key = Unhex("2b7e151628aed2a6abf7158809cf4f3c");
  const Bytes iv = Unhex("000102030405060708090a0b0c0d0e0f");
  const Bytes counter = Unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const Bytes block = Unhex("6bc1bee22e409f96e93d7e117393172a");
  auto encrypt = [&](CipherMode mode, ByteView with) {
    return Hex(Through(*Cipher::Start(mode, Encrypt, HostAes(key), {.iv = with}), block).bytes);
  };
  EXPECT_EQ(encrypt(CipherMode::Ecb, {}), "3ad77bb40d7a3660a89ecaf32466ef97");
  EXPECT_EQ(encrypt(CipherMode::Cbc, iv), "7649abac8119b246cee98e9b12e9197d");
  EXPECT_EQ(encrypt(CipherMode::Cfb128, iv), "3b3fd92eb72dad20333449f8e83cfb4a");
  EXPECT_EQ(encrypt(CipherMode::Ofb, iv), "3b3fd92eb72dad20333449f8e83cfb4a");
  EXPECT_EQ(encrypt(CipherMode::Ctr, counter), "874d6191b620e3261bef6864990db6ce");
}

// Test case 4 of the GCM specification, and case 6 with an IV of 60 bytes.
TEST(CryptoCipherVectors, Gcm) {
  const Bytes key = Unhex("feffe9928665731c6d6a8f9467308308");
  const Bytes aad = Unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes plaintext = Unhex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
      "b525"
      "b16aedf5aa0de657ba637b39");
  const Bytes iv = Unhex("cafebabefacedbaddecaf888");
  EXPECT_EQ(Hex(ByteView(Through(*Cipher::Start(CipherMode::Gcm, Encrypt, HostAes(key),
                                                {.iv = iv, .aad = aad}),
                                 plaintext)
                             .bytes)
                    .last(16)),
            "5bc94fbc3221a5db94fae95ae7121a47");
  const Bytes long_iv = Unhex(
      "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b"
      "5254"
      "16aedbf5a0de6a57a637b39b");
  EXPECT_EQ(Hex(ByteView(Through(*Cipher::Start(CipherMode::Gcm, Encrypt, HostAes(key),
                                                {.iv = long_iv, .aad = aad}),
                                 plaintext)
                             .bytes)
                    .last(16)),
            "619cc5aefffe0bfa462af43c1699d050");
}

TEST(CryptoCipherGcm, NothingOfAForgeryIsGivenOut) {
  const Bytes key(16, 1);
  const Bytes iv(12, 2);
  for (size_t tag_size : {4u, 12u, 16u}) {
    const CipherParams params{.iv = iv, .aad = AsBytes("header"), .tag_size = tag_size};
    const Bytes good = Through(*Cipher::Start(CipherMode::Gcm, Encrypt, HostAes(key), params),
                               AsBytes("plaintext"))
                           .bytes;
    ASSERT_EQ(good.size(), 9 + tag_size);
    EXPECT_EQ(
        AsString(
            Through(*Cipher::Start(CipherMode::Gcm, Decrypt, HostAes(key), params), good).bytes),
        "plaintext");
    for (size_t i = 0; i < good.size(); ++i) {
      Bytes bad = good;
      bad[i] ^= 1;
      const Outcome outcome =
          Through(*Cipher::Start(CipherMode::Gcm, Decrypt, HostAes(key), params), bad);
      EXPECT_EQ(outcome.status, CipherStatus::Invalid);
      EXPECT_TRUE(outcome.bytes.empty());
    }
    const CipherParams other{.iv = iv, .aad = AsBytes("Header"), .tag_size = tag_size};
    EXPECT_EQ(Through(*Cipher::Start(CipherMode::Gcm, Decrypt, HostAes(key), other), good).status,
              CipherStatus::Invalid);
    EXPECT_EQ(
        Through(*Cipher::Start(CipherMode::Gcm, Decrypt, HostAes(key), params), Bytes(tag_size - 1))
            .status,
        CipherStatus::DataLenRange);
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(CryptoCipherPadding, WrongPaddingAndLengthAreToldApart) {
  const Bytes key(16, 1);
  const Bytes iv(16, 2);
  auto decrypt = [&](ByteView plaintext) {
    const Bytes ciphertext =
        Through(*Cipher::Start(CipherMode::Cbc, Encrypt, HostAes(key), {.iv = iv}), plaintext)
            .bytes;
    return Through(*Cipher::Start(CipherMode::CbcPad, Decrypt, HostAes(key), {.iv = iv}),
                   ciphertext);
  };
  EXPECT_EQ(decrypt(Bytes(16, 16)).status, CipherStatus::Ok);
  EXPECT_EQ(decrypt(Bytes(16, 1)).bytes.size(), 15u);
  EXPECT_EQ(decrypt(Bytes(16, 0)).status, CipherStatus::Invalid);
  EXPECT_EQ(decrypt(Bytes(16, 17)).status, CipherStatus::Invalid);
  EXPECT_EQ(decrypt({}).status, CipherStatus::DataLenRange);
  EXPECT_EQ(
      Through(*Cipher::Start(CipherMode::CbcPad, Decrypt, HostAes(key), {.iv = iv}), Bytes(17))
          .status,
      CipherStatus::DataLenRange);
}

TEST(CryptoCipherCounter, StopsBeforeFewerBitsWouldRepeat) {
  const Bytes key(16, 1);
  Bytes iv(16, 0xaa);
  iv.back() = 0xfe;  // the counters fe and ff are left of 8 bits
  auto run = [&](unsigned bits, size_t size) {
    return Through(
        *Cipher::Start(CipherMode::Ctr, Encrypt, HostAes(key), {.iv = iv, .counter_bits = bits}),
        Bytes(size));
  };
  EXPECT_EQ(run(8, 32).status, CipherStatus::Ok);
  EXPECT_EQ(run(8, 33).status, CipherStatus::DataLenRange);
  EXPECT_EQ(run(1, 33).status, CipherStatus::DataLenRange);
  EXPECT_EQ(run(9, 33).bytes, run(128, 33).bytes);
  iv = Bytes(16, 0xff);
  EXPECT_EQ(run(127, 17).status, CipherStatus::DataLenRange);
  EXPECT_EQ(run(128, 33).status, CipherStatus::Ok);
}

TEST(CryptoCipherStart, BadParametersAreRefused) {
  const Bytes key(16);
  const Bytes iv(kLongestGcmIv + 1);
  auto starts = [&](CipherMode mode, size_t key_size, const CipherParams& params) {
    return Cipher::Start(mode, Encrypt, HostAes(Bytes(key_size)), params).has_value();
  };
  for (size_t size : {0u, 1u, 15u, 33u}) EXPECT_FALSE(starts(CipherMode::Ecb, size, {}));
  EXPECT_FALSE(starts(CipherMode::Ecb, 16, {.iv = key}));
  EXPECT_FALSE(starts(CipherMode::Cbc, 16, {}));
  EXPECT_FALSE(starts(CipherMode::Cbc, 16, {.iv = ByteView(iv).first(15)}));
  EXPECT_FALSE(starts(CipherMode::Ctr, 16, {.iv = key, .counter_bits = 0}));
  EXPECT_FALSE(starts(CipherMode::Ctr, 16, {.iv = key, .counter_bits = 129}));
  EXPECT_FALSE(starts(CipherMode::Gcm, 16, {}));
  EXPECT_FALSE(starts(CipherMode::Gcm, 16, {.iv = iv}));
  EXPECT_FALSE(starts(CipherMode::Gcm, 16, {.iv = key, .tag_size = 3}));
  EXPECT_FALSE(starts(CipherMode::Gcm, 16, {.iv = key, .tag_size = 17}));
  EXPECT_TRUE(starts(CipherMode::Gcm, 24, {.iv = ByteView(iv).first(1)}));
}

}  // namespace
}  // namespace keyscope::crypto
