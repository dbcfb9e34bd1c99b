#include "token/crypto/rsa.h"

#include <bit>

#include "token/crypto/bignum.h"
#include "token/crypto/check.h"

namespace keyscope::crypto {
namespace {

constexpr size_t kMinModulusBits = 1024;
constexpr size_t kMaxModulusBits = 16384;
constexpr size_t kMaxExponentBytes = 8;

// The other prime; nullptr unless `prime` divides the modulus and both have half its bits.
ossl::Bn CofactorOf(const BIGNUM* prime, const BIGNUM* modulus, BN_CTX* context) {
  const int half = BN_num_bits(modulus) / 2;
  if (BN_num_bits(prime) != half || BN_num_bits(modulus) % 2 != 0) return nullptr;
  ossl::Bn quotient = NewNumber();
  ossl::Bn remainder = NewNumber();
  Check(BN_div(quotient.get(), remainder.get(), modulus, prime, context) == 1, "BN_div");
  if (!BN_is_zero(remainder.get()) || BN_num_bits(quotient.get()) != half) return nullptr;
  return quotient;
}

// Whether public * secret = 1 modulo prime - 1.
bool Inverse(const BIGNUM* public_exponent, const BIGNUM* secret, const BIGNUM* prime,
             BN_CTX* context) {
  ossl::Bn order = NewNumber();
  ossl::Bn product = NewNumber();
  Check(BN_copy(order.get(), prime) != nullptr && BN_sub_word(order.get(), 1) == 1 &&
            BN_mod_mul(product.get(), public_exponent, secret, order.get(), context) == 1,
        "BN_mod_mul");
  return BN_is_one(product.get());
}

// Squares `root` until the next square is 1 modulo the modulus: that last value is a square root of
// 1, and if it is neither 1 nor -1, a prime is the greatest common divisor of it less one and the
// modulus.
ossl::Bn PrimeFromRoot(ossl::Bn root, int squarings, const BIGNUM* modulus, BN_CTX* context) {
  ossl::Bn square = NewNumber();
  for (int i = 0; i < squarings && !BN_is_one(root.get()); ++i) {
    Check(BN_mod_sqr(square.get(), root.get(), modulus, context) == 1, "BN_mod_sqr");
    if (BN_is_one(square.get())) {
      ossl::Bn prime = NewNumber();
      Check(
          BN_sub_word(root.get(), 1) == 1 && BN_gcd(prime.get(), root.get(), modulus, context) == 1,
          "BN_gcd");
      return prime;
    }
    std::swap(root, square);
  }
  return nullptr;
}

// NIST SP 800-56B, appendix C.1: a base finds the primes with a probability of at least one half.
ossl::Bn RecoverPrime(const BIGNUM* modulus, const BIGNUM* public_exponent, const BIGNUM* secret,
                      BN_CTX* context) {
  static constexpr BN_ULONG kBases[] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37,
                                        41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89};
  ossl::Bn exponent = NewNumber();
  Check(BN_mul(exponent.get(), public_exponent, secret, context) == 1 &&
            BN_sub_word(exponent.get(), 1) == 1,
        "BN_mul");
  if (BN_is_zero(exponent.get()) || BN_is_odd(exponent.get())) return nullptr;
  int twos = 0;
  while (BN_is_bit_set(exponent.get(), twos) == 0) ++twos;
  Check(BN_rshift(exponent.get(), exponent.get(), twos) == 1, "BN_rshift");

  for (BN_ULONG value : kBases) {
    ossl::Bn base = NewNumber();
    ossl::Bn root = NewNumber();
    Check(BN_set_word(base.get(), value) == 1 &&
              BN_mod_exp_mont_consttime(root.get(), base.get(), exponent.get(), modulus, context,
                                        nullptr) == 1,
          "BN_mod_exp_mont_consttime");
    ossl::Bn prime = PrimeFromRoot(std::move(root), twos, modulus, context);
    if (prime != nullptr && !BN_is_one(prime.get())) return prime;
  }
  return nullptr;
}

}  // namespace

size_t ModulusBits(const tpm::RsaPublic& key) {
  return 8 * key.modulus.size() - static_cast<size_t>(std::countl_zero(key.modulus.at(0)));
}

std::optional<tpm::RsaPublic> RsaPublicFrom(ByteView modulus, ByteView exponent) {
  tpm::RsaPublic key{StripLeadingZeros(modulus), StripLeadingZeros(exponent)};
  const bool modulus_ok = (key.modulus.back() & 1) != 0 && ModulusBits(key) >= kMinModulusBits &&
                          ModulusBits(key) <= kMaxModulusBits;
  const bool exponent_ok = (key.exponent.back() & 1) != 0 && key.exponent != Bytes{1} &&
                           key.exponent.size() <= kMaxExponentBytes;
  if (!modulus_ok || !exponent_ok) return std::nullopt;
  return key;
}

std::optional<tpm::RsaPrivate> RsaPrivateFrom(const RsaNumbers& numbers) {
  auto key = RsaPublicFrom(numbers.modulus, numbers.public_exponent);
  if (!key) return std::nullopt;
  for (ByteView part : {numbers.private_exponent, numbers.prime1, numbers.prime2})
    if (part.size() > key->modulus.size() + 1) return std::nullopt;

  ossl::BnCtx context = NewBnCtx();
  ossl::Bn n = Number(key->modulus);
  ossl::Bn e = Number(key->exponent);
  ossl::Bn d = SecretNumber(numbers.private_exponent);
  if (BN_cmp(d.get(), n.get()) >= 0) return std::nullopt;

  ByteView given = numbers.prime1.empty() ? numbers.prime2 : numbers.prime1;
  ossl::Bn p =
      given.empty() ? RecoverPrime(n.get(), e.get(), d.get(), context.get()) : SecretNumber(given);
  ossl::Bn q = p == nullptr ? nullptr : CofactorOf(p.get(), n.get(), context.get());
  if (q == nullptr) return std::nullopt;
  if (!numbers.prime1.empty() && !numbers.prime2.empty() &&
      BN_cmp(q.get(), SecretNumber(numbers.prime2).get()) != 0)
    return std::nullopt;
  if (!Inverse(e.get(), d.get(), p.get(), context.get()) ||
      !Inverse(e.get(), d.get(), q.get(), context.get()))
    return std::nullopt;

  const size_t prime_size = (ModulusBits(*key) / 2 + 7) / 8;
  return tpm::RsaPrivate{*std::move(key), SecretBytes(ToBytes(p.get(), prime_size))};
}

}  // namespace keyscope::crypto
