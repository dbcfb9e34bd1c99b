// On OpenSSL's numbers and points, not on EVP_PKEY: an RSA or EC_KEY object, also one made by a
// provider, takes its methods from the process's default ENGINE, which may be one that loads this
// very module. The arithmetic is the same, and so is its speed.
#include "token/crypto/public_key.h"

#include <algorithm>

#include "token/crypto/bignum.h"
#include "token/crypto/check.h"
#include "token/crypto/ec.h"
#include "token/crypto/hash.h"
#include "token/crypto/rsa.h"
#include "token/crypto/rsa_padding.h"

namespace keyscope::crypto {
namespace {

// The largest digest that CKM_ECDSA is given.
constexpr size_t kMaxDigest = 64;

// Whether 1 <= number < order.
bool InRange(const BIGNUM* number, const BIGNUM* order) {
  return !BN_is_zero(number) && BN_cmp(number, order) < 0;
}

}  // namespace

SoftwareKey::SoftwareKey(const tpm::PublicKey& key) {
  std::visit([this](const auto& numbers) { Load(numbers); }, key);
}

void SoftwareKey::Load(const tpm::RsaPublic& key) {
  auto checked = RsaPublicFrom(key.modulus, key.exponent);
  if (!checked) throw Error(Fault::Corrupt, "a stored RSA public key is no RSA public key");
  size_ = checked->modulus.size();
  modulus_ = Number(checked->modulus);
  exponent_ = Number(checked->exponent);
  montgomery_.reset(BN_MONT_CTX_new());
  Check(montgomery_ != nullptr &&
            BN_MONT_CTX_set(montgomery_.get(), modulus_.get(), NewBnCtx().get()) == 1,
        "BN_MONT_CTX_set");
}

void SoftwareKey::Load(const tpm::EcPublic& key) {
  const QuietErrors quiet;
  size_ = Info(key.curve).field_size();
  group_ = Group(key.curve);
  point_.reset(EC_POINT_new(group_));
  Check(point_ != nullptr, "EC_POINT_new");
  Bytes raw = RawPoint(key);
  if (raw.size() != 1 + 2 * size_ ||
      EC_POINT_oct2point(group_, point_.get(), raw.data(), raw.size(), NewBnCtx().get()) != 1)
    throw Error(Fault::Corrupt, "a stored EC public key is no point of its curve");
}

size_t SoftwareKey::modulus_bits() const {
  return static_cast<size_t>(BN_num_bits(modulus_.get()));
}

std::optional<Bytes> SoftwareKey::Raw(ByteView input) const {
  Check(modulus_ != nullptr, "an RSA operation with an EC key");
  if (input.size() > size_) return std::nullopt;
  ossl::Bn number = Number(input);
  if (BN_cmp(number.get(), modulus_.get()) >= 0) return std::nullopt;
  ossl::BnCtx context = NewBnCtx();
  ossl::Bn result = NewNumber();
  Check(BN_mod_exp_mont(result.get(), number.get(), exponent_.get(), modulus_.get(), context.get(),
                        montgomery_.get()) == 1,
        "BN_mod_exp_mont");
  return ToBytes(result.get(), size_);
}

std::optional<Bytes> SoftwareKey::Opened(ByteView signature) const {
  return signature.size() == size_ ? Raw(signature) : std::nullopt;
}

bool SoftwareKey::VerifyPkcs1(tpm::Hash hash, ByteView digest, ByteView signature) const {
  const HashInfo& info = Info(hash);
  return digest.size() == info.size() &&
         VerifyPkcs1Raw(Concat({info.digest_info_prefix, digest}), signature);
}

bool SoftwareKey::VerifyPkcs1Raw(ByteView data, ByteView signature) const {
  auto expected = Pkcs1Type1(data, size_);
  auto em = Opened(signature);
  return expected && em && *expected == *em;
}

bool SoftwareKey::VerifyPss(tpm::Hash hash, tpm::Hash mgf, size_t salt_size, ByteView digest,
                            ByteView signature) const {
  auto em = Opened(signature);
  return em && PssVerify(hash, mgf, salt_size, digest, modulus_bits(), *em);
}

std::optional<Bytes> SoftwareKey::RecoverPkcs1(ByteView signature) const {
  auto em = Opened(signature);
  auto data = em ? UnpadPkcs1Type1(*em) : std::nullopt;
  if (!data) return std::nullopt;
  return Copy(*data);
}

std::optional<Bytes> SoftwareKey::EncryptPkcs1(ByteView message) const {
  auto em = PadPkcs1(message, size_);
  return em ? Raw(em->view()) : std::nullopt;
}

std::optional<Bytes> SoftwareKey::EncryptOaep(tpm::Hash hash, tpm::Hash mgf, ByteView label,
                                              ByteView message) const {
  auto em = PadOaep(hash, mgf, label, message, size_);
  return em ? Raw(em->view()) : std::nullopt;
}

bool SoftwareKey::VerifyEcdsa(ByteView digest, ByteView r_and_s) const {
  Check(group_ != nullptr, "an ECDSA operation with an RSA key");
  if (digest.empty() || digest.size() > kMaxDigest || r_and_s.size() != 2 * size_) return false;
  const BIGNUM* order = EC_GROUP_get0_order(group_);
  ossl::Bn r = Number(r_and_s.first(size_));
  ossl::Bn s = Number(r_and_s.last(size_));
  if (!InRange(r.get(), order) || !InRange(s.get(), order)) return false;

  // The orders of P-256 and P-384 have whole bytes, and that of P-521 more bits than any digest.
  ossl::Bn e = Number(digest.first(std::min(digest.size(), size_)));
  ossl::BnCtx context = NewBnCtx();
  ossl::Bn inverse = NewNumber();
  ossl::Bn u1 = NewNumber();
  ossl::Bn u2 = NewNumber();
  Check(BN_mod_inverse(inverse.get(), s.get(), order, context.get()) != nullptr &&
            BN_mod_mul(u1.get(), e.get(), inverse.get(), order, context.get()) == 1 &&
            BN_mod_mul(u2.get(), r.get(), inverse.get(), order, context.get()) == 1,
        "modular arithmetic");
  ossl::Point sum(EC_POINT_new(group_));
  Check(sum != nullptr &&
            EC_POINT_mul(group_, sum.get(), u1.get(), point_.get(), u2.get(), context.get()) == 1,
        "EC_POINT_mul");
  if (EC_POINT_is_at_infinity(group_, sum.get()) == 1) return false;
  ossl::Bn x = NewNumber();
  Check(EC_POINT_get_affine_coordinates(group_, sum.get(), x.get(), nullptr, context.get()) == 1 &&
            BN_nnmod(x.get(), x.get(), order, context.get()) == 1,
        "EC_POINT_get_affine_coordinates");
  return BN_cmp(x.get(), r.get()) == 0;
}

}  // namespace keyscope::crypto
