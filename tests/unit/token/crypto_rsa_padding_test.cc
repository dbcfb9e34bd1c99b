#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>

#include "tests/unit/token/crypto_support.h"
#include "token/crypto/hash.h"
#include "token/crypto/rsa_padding.h"

namespace keyscope::crypto {
namespace {

using test::Garbage;
using tpm::Hash;

TEST(CryptoRsaPadding, Type1TakesUpToKLessElevenBytes) {
  EXPECT_EQ(Hex(*Pkcs1Type1(AsBytes("ab"), 13)), "0001ffffffffffffffff006162");
  EXPECT_FALSE(Pkcs1Type1(AsBytes("abc"), 13));
  EXPECT_FALSE(Pkcs1Type1({}, 10));
  const Bytes em = *Pkcs1Type1(AsBytes("ab"), 64);
  EXPECT_EQ(AsString(*UnpadPkcs1Type1(em)), "ab");
}

TEST(CryptoRsaPadding, Type1OfAnotherFormIsRefused) {
  for (const char* hex :
       {"", "0001ffffffffffffff00616263", "0002ffffffffffffffff006162",
        "0101ffffffffffffffff006162", "0001ffffffffffffffffffffff", "0001fffffffffffffffe006162"})
    EXPECT_FALSE(UnpadPkcs1Type1(test::Unhex(hex))) << hex;
}

TEST(CryptoRsaPadding, Pkcs1EncryptionComesBack) {
  for (size_t size : {0u, 1u, 100u, 117u}) {
    const Bytes message = Garbage().Some(size);
    auto em = PadPkcs1(message, 128);
    ASSERT_TRUE(em);
    EXPECT_EQ(em->size(), 128u);
    const ByteView padding = em->view().subspan(2, 125 - size);
    EXPECT_EQ(std::ranges::count(padding, 0), 0);
    auto back = UnpadPkcs1(em->view());
    ASSERT_TRUE(back);
    EXPECT_TRUE(Equal(back->view(), message));
  }
  EXPECT_FALSE(PadPkcs1(Bytes(118), 128));
}

TEST(CryptoRsaPadding, OaepComesBackWithTheSameParametersOnly) {
  for (Hash hash : {Hash::Sha1, Hash::Sha256, Hash::Sha512, Hash::Sha3_256}) {
    for (Hash mgf : {Hash::Sha1, Hash::Sha384}) {
      const size_t most = 256 - 2 * Info(hash).size() - 2;
      for (size_t size : {size_t{0}, size_t{1}, most}) {
        const Bytes message = Garbage().Some(size);
        auto em = PadOaep(hash, mgf, AsBytes("label"), message, 256);
        ASSERT_TRUE(em);
        auto back = UnpadOaep(em->view(), hash, mgf, AsBytes("label"));
        ASSERT_TRUE(back);
        EXPECT_TRUE(Equal(back->view(), message));
        EXPECT_FALSE(UnpadOaep(em->view(), hash, mgf, AsBytes("Label")));
        EXPECT_FALSE(UnpadOaep(em->view(), hash, Hash::Sha224, AsBytes("label")));
      }
      EXPECT_FALSE(PadOaep(hash, mgf, {}, Bytes(most + 1), 256));
    }
  }
  EXPECT_FALSE(PadOaep(Hash::Sha512, Hash::Sha512, {}, {}, 128));
}

TEST(CryptoRsaPadding, PssComesBackWithExactlyItsSalt) {
  const Bytes digest = Digest(Hash::Sha256, AsBytes("message"));
  for (size_t bits : {1024u, 1025u, 1026u, 1031u, 1032u}) {
    const size_t most = (bits + 6) / 8 - 34;
    for (size_t salt : {size_t{0}, size_t{1}, size_t{32}, most}) {
      auto em = PssEncode(Hash::Sha256, Hash::Sha1, salt, digest, bits);
      ASSERT_TRUE(em) << bits << ' ' << salt;
      EXPECT_EQ(em->size(), (bits + 7) / 8);
      EXPECT_TRUE(PssVerify(Hash::Sha256, Hash::Sha1, salt, digest, bits, *em));
      EXPECT_FALSE(PssVerify(Hash::Sha256, Hash::Sha1, salt + 1, digest, bits, *em));
      EXPECT_FALSE(PssVerify(Hash::Sha256, Hash::Sha1, salt - 1, digest, bits, *em));
      EXPECT_FALSE(PssVerify(Hash::Sha256, Hash::Sha256, salt, digest, bits, *em));
      for (size_t i = 0; i < em->size(); ++i) {
        Bytes changed = *em;
        changed[i] ^= 0x80;
        EXPECT_FALSE(PssVerify(Hash::Sha256, Hash::Sha1, salt, digest, bits, changed)) << i;
      }
    }
    EXPECT_FALSE(PssEncode(Hash::Sha256, Hash::Sha1, most + 1, digest, bits));
  }
  EXPECT_FALSE(PssEncode(Hash::Sha256, Hash::Sha256, 0, Bytes(31), 1024));
  EXPECT_FALSE(PssEncode(Hash::Sha512, Hash::Sha512, SIZE_MAX, Bytes(64), 1024));
}

TEST(CryptoRsaPadding, GarbageIsRefusedQuietly) {
  Garbage garbage;
  size_t accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    const Bytes em = garbage.Some(garbage.Below(300));
    accepted += UnpadPkcs1(em).has_value();
    accepted += UnpadOaep(em, Hash::Sha256, Hash::Sha1, {}).has_value();
    accepted += UnpadPkcs1Type1(em).has_value();
    accepted += PssVerify(Hash::Sha1, Hash::Sha1, garbage.Below(40), Bytes(20),
                          8 * em.size() + garbage.Below(3), em);
  }
  EXPECT_EQ(accepted, 0u);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(CryptoRsaPadding, TheHostsErrorQueueStays) {
  ERR_raise(ERR_LIB_USER, 77);
  EXPECT_FALSE(UnpadPkcs1(Bytes(128, 1)));
  EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 77);
  EXPECT_EQ(ERR_get_error(), 0u);
}

}  // namespace
}  // namespace keyscope::crypto
