#include <gtest/gtest.h>

#include "tests/unit/token/crypto_support.h"
#include "token/crypto/rsa.h"

namespace keyscope::crypto {
namespace {

struct Numbers {
  Bytes n, e, d, p, q;
  explicit Numbers(const ossl::Pkey& key)
      : n(test::NumberOf(key, OSSL_PKEY_PARAM_RSA_N)),
        e(test::NumberOf(key, OSSL_PKEY_PARAM_RSA_E)),
        d(test::NumberOf(key, OSSL_PKEY_PARAM_RSA_D)),
        p(test::NumberOf(key, OSSL_PKEY_PARAM_RSA_FACTOR1)),
        q(test::NumberOf(key, OSSL_PKEY_PARAM_RSA_FACTOR2)) {}
  RsaNumbers All() const { return {n, e, d, p, q}; }
};

TEST(CryptoRsa, PublicNumbersAreCheckedAndStripped) {
  Bytes modulus(128, 0xff);
  const Bytes exponent = {0, 1, 0, 1};
  auto key = RsaPublicFrom(Concat({Bytes(3), modulus}), exponent);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->modulus, modulus);
  EXPECT_EQ(Hex(key->exponent), "010001");
  EXPECT_EQ(ModulusBits(*key), 1024u);

  EXPECT_TRUE(RsaPublicFrom(modulus, Bytes{3}));
  EXPECT_TRUE(RsaPublicFrom(modulus, Bytes(8, 0xff)));
  for (const Bytes& bad :
       {Bytes(), Bytes{0}, Bytes{1}, Bytes{2}, Bytes{0, 4}, Bytes(9, 0xff), Bytes(65536, 0xff)})
    EXPECT_FALSE(RsaPublicFrom(modulus, bad));
  Bytes even = modulus;
  even.back() = 0xfe;
  Bytes small = modulus;
  small[0] = 0x7f;
  for (const Bytes& bad : {even, small, Bytes(), Bytes(128), Bytes(2049, 0xff)})
    EXPECT_FALSE(RsaPublicFrom(bad, exponent));
  EXPECT_TRUE(RsaPublicFrom(Bytes(2048, 0xff), exponent));
}

TEST(CryptoRsa, PrimesAreGivenOrRecovered) {
  for (size_t bits : {1024u, 2048u}) {
    const Numbers numbers(test::NewRsa(bits));
    for (auto [p, q] : {std::pair{numbers.p, numbers.q},
                        {numbers.p, Bytes()},
                        {Bytes(), numbers.q},
                        {Bytes(), Bytes()},
                        {numbers.q, numbers.p}}) {
      auto key = RsaPrivateFrom({numbers.n, numbers.e, Concat({Bytes{0}, numbers.d}), p, q});
      ASSERT_TRUE(key);
      EXPECT_EQ(key->public_key.modulus, numbers.n);
      EXPECT_TRUE(Equal(key->prime.view(), numbers.p) || Equal(key->prime.view(), numbers.q));
    }
  }
}

TEST(CryptoRsa, ContradictionsAreRefused) {
  const Numbers numbers(test::NewRsa(1024));
  const Numbers other(test::NewRsa(1024));
  auto changed = [&numbers](ByteView RsaNumbers::*part, const Bytes& to) {
    RsaNumbers all = numbers.All();
    all.*part = to;
    return RsaPrivateFrom(all).has_value();
  };
  ASSERT_TRUE(RsaPrivateFrom(numbers.All()));
  EXPECT_FALSE(changed(&RsaNumbers::modulus, other.n));
  EXPECT_FALSE(changed(&RsaNumbers::public_exponent, Bytes{3}));
  EXPECT_FALSE(changed(&RsaNumbers::private_exponent, other.d));
  EXPECT_FALSE(changed(&RsaNumbers::private_exponent, Bytes()));
  EXPECT_FALSE(changed(&RsaNumbers::private_exponent, numbers.n));
  EXPECT_FALSE(changed(&RsaNumbers::private_exponent, Bytes(1 << 16, 0xff)));
  EXPECT_FALSE(changed(&RsaNumbers::prime1, other.p));
  EXPECT_FALSE(changed(&RsaNumbers::prime1, numbers.q));
  EXPECT_FALSE(changed(&RsaNumbers::prime2, other.q));
  EXPECT_FALSE(changed(&RsaNumbers::prime1, numbers.n));
  EXPECT_FALSE(changed(&RsaNumbers::prime1, Bytes{1}));
  EXPECT_FALSE(changed(&RsaNumbers::prime1, Bytes(64)));
  // Without primes, exponents that do not belong together find none.
  EXPECT_FALSE(RsaPrivateFrom({numbers.n, numbers.e, other.d, {}, {}}));
  EXPECT_FALSE(RsaPrivateFrom({numbers.n, numbers.e, Bytes{}, {}, {}}));
  EXPECT_FALSE(RsaPrivateFrom({numbers.n, Bytes{3}, Bytes{1}, {}, {}}));
}

}  // namespace
}  // namespace keyscope::crypto
