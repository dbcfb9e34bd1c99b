// What holds of every Backend: secret keys, against OpenSSL.
#include "base/ossl.h"
#include "tests/contract/contract.h"
#include "tests/fakes/fake_keys.h"

namespace keyscope::test {
namespace {

using tpm::AesMode;
using tpm::Direction;
using tpm::Hash;

constexpr AesMode kModes[] = {AesMode::Ecb, AesMode::Cbc, AesMode::Ctr, AesMode::Cfb128,
                              AesMode::Ofb};

Bytes HmacOf(Hash hash, ByteView key, ByteView data) {
  Bytes mac(DigestSize(hash));
  size_t size = 0;
  EVP_Q_mac(ossl::Context(), "HMAC", nullptr, Name(hash), nullptr, key.data(), key.size(),
            data.data(), data.size(), mac.data(), mac.size(), &size);
  return mac;
}

class ContractSecret : public Contract {
 protected:
  void SetUp() override {
    if (facts.aes_bits.empty() && !facts.hmac) GTEST_SKIP() << "no secret keys in the device";
  }
  tpm::KeyRef AesKey(unsigned bits, ByteView value) {
    const tpm::SecretSpec spec{KeyScope::User, tpm::AesSpec{bits}};
    return Ready("aes", backend().CreateSecret(root, spec, SecretBytes(value), AuthOf("aes")));
  }
  tpm::KeyRef HmacKey(Hash hash, ByteView value) {
    const tpm::SecretSpec spec{KeyScope::User, tpm::HmacSpec{hash}};
    const std::string name = std::string("hmac") + Name(hash) + std::to_string(value.size());
    return Ready(name, backend().CreateSecret(root, spec, SecretBytes(value), AuthOf(name)));
  }
  Bytes FirstIv(AesMode mode) const { return mode == AesMode::Ecb ? Bytes() : iv_; }

  // The counter wraps from its 64 low bits into the high ones.
  const Bytes iv_ = Concat({Bytes(8, 0x11), Bytes(8, 0xff)});
};

INSTANTIATE_TEST_SUITE_P(Backends, ContractSecret, testing::ValuesIn(Kinds()), KindName);

TEST_P(ContractSecret, AesOfEverySizeAndMode) {
  ASSERT_FALSE(facts.aes_bits.empty());
  for (unsigned bits : facts.aes_bits) {
    const Bytes value = ossl::Random(bits / 8), data = ossl::Random(2 * 1024 + 48);
    const tpm::KeyRef key = AesKey(bits, value);
    for (AesMode mode : kModes) {
      SCOPED_TRACE(std::to_string(bits) + " mode " + std::to_string(static_cast<int>(mode)));
      Bytes iv = FirstIv(mode), expected_iv = iv;
      for (size_t size : {size_t{16}, data.size(), size_t{0}, size_t{32}}) {
        const ByteView part = ByteView(data).first(size);
        const SecretBytes expected = Aes(mode, Direction::Encrypt, value, expected_iv, part);
        Bytes back_iv = iv;
        const SecretBytes made = backend().RunAes(root, key, mode, Direction::Encrypt, iv, part);
        EXPECT_EQ(Hex(made.view()), Hex(expected.view()));
        EXPECT_EQ(iv, expected_iv) << "to go on with";
        const SecretBytes back =
            backend().RunAes(root, key, mode, Direction::Decrypt, back_iv, made.view());
        EXPECT_TRUE(Equal(back.view(), part));
        EXPECT_EQ(back_iv, iv);
      }
    }
    backend().Release(AsBytes("aes"));
  }
}

TEST_P(ContractSecret, TheDeviceDrawsAesKeys) {
  std::vector<Bytes> seen;
  for (int i = 0; i < 2; ++i) {
    const tpm::KeyRef key = AesKey(256, {});
    Bytes none;
    seen.push_back(Copy(
        backend().RunAes(root, key, AesMode::Ecb, Direction::Encrypt, none, Bytes(16)).view()));
    backend().Release(AsBytes("aes"));
  }
  EXPECT_NE(seen[0], seen[1]);
}

TEST_P(ContractSecret, HmacOfEveryHashAndLength) {
  ASSERT_TRUE(facts.hmac);
  const Bytes message = ossl::Random(5000);
  for (Hash hash : facts.hashes) {
    for (size_t key_size : {size_t{1}, tpm::LongestHmacKey(hash)}) {
      const Bytes value = ossl::Random(key_size);
      const tpm::KeyRef key = HmacKey(hash, value);
      for (size_t size : {0, 1, 1024, 1025, 2048, 5000}) {
        SCOPED_TRACE(std::string(Name(hash)) + " " + std::to_string(size));
        const ByteView part = ByteView(message).first(size);
        EXPECT_EQ(Hex(backend().Hmac(root, key, part).view()), Hex(HmacOf(hash, value, part)));
      }
    }
  }
}

TEST_P(ContractSecret, WhatDoesNotFitIsRefused) {
  const auto create = [&](const tpm::SecretSpec& spec, size_t size) {
    return FaultOf(
        [&] { backend().CreateSecret(root, spec, SecretBytes(Bytes(size, 7)), AuthOf("key")); });
  };
  for (unsigned bits : {0U, 64U, 512U})
    EXPECT_EQ(create({KeyScope::User, tpm::AesSpec{bits}}, 0), Fault::Unsupported) << bits;
  EXPECT_EQ(create({KeyScope::User, tpm::HmacSpec{Hash::Sha224}}, 20), Fault::Unsupported);
  EXPECT_EQ(create({KeyScope::User, tpm::AesSpec{128}}, 32), Fault::BadInput);
  for (size_t size : {0, 65})
    EXPECT_EQ(create({KeyScope::User, tpm::HmacSpec{Hash::Sha256}}, size), Fault::BadInput);

  const tpm::KeyRef aes = AesKey(128, {}), hmac = HmacKey(Hash::Sha256, Bytes(20, 1)),
                    ec = NewKey(backend(), root, "ec", kP256);
  const auto run = [&](const tpm::KeyRef& key, AesMode mode, size_t iv_size, size_t size) {
    return FaultOf([&] {
      Bytes iv(iv_size);
      backend().RunAes(root, key, mode, Direction::Decrypt, iv, Bytes(size));
    });
  };
  EXPECT_EQ(run(aes, AesMode::Cbc, 16, 15), Fault::BadInput);
  EXPECT_EQ(run(aes, AesMode::Cbc, 15, 16), Fault::BadInput);
  EXPECT_EQ(run(aes, AesMode::Ecb, 16, 16), Fault::BadInput);
  EXPECT_EQ(run(hmac, AesMode::Ecb, 0, 16), Fault::BadInput);
  EXPECT_EQ(run(ec, AesMode::Ecb, 0, 16), Fault::BadInput);
  for (const tpm::KeyRef& key : {std::cref(aes), std::cref(ec)})
    EXPECT_EQ(FaultOf([&] { backend().Hmac(root, key, Bytes(10)); }), Fault::BadInput);
  EXPECT_FALSE(run(aes, AesMode::Cbc, 16, 16)) << "after all this the key still works";
}

}  // namespace
}  // namespace keyscope::test
