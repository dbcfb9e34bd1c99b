// On OpenSSL's numbers and points, not on EVP_PKEY: in a process with a default ENGINE (nginx,
// curl) that has key methods, EVP_PKEY_CTX and the key objects use the engine's also in a library
// context of our own, and the engine may be one that loads this very module.
#include "tpm/tss/shared_secret.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/ossl.h"
#include "tpm/oaep.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

void Write(const BIGNUM* number, std::span<uint8_t> to) {
  ossl::Check(BN_bn2binpad(number, to.data(), static_cast<int>(to.size())) >= 0, "BN_bn2binpad");
}

void Store(ByteView bytes, TPM2B_ENCRYPTED_SECRET& to) {
  if (bytes.size() > sizeof to.secret)
    throw Error(Fault::Unsupported, "the storage root's key is too large");
  to.size = static_cast<UINT16>(bytes.size());
  std::ranges::copy(bytes, to.secret);
}

SharedSecret SecretFor(const RsaPublic& key, Hash hash, const char* label) {
  SharedSecret made{SecretBytes(ossl::Random(DigestSize(hash))), {}};
  const auto padded = PadOaep(hash, hash, WithNul(label), made.secret.view(), key.modulus.size());
  if (!padded) throw Error(Fault::Unsupported, "the storage root's RSA key is too small");
  const ossl::Bn message = ossl::Number(padded->view());
  const ossl::BnCtx context(BN_CTX_new_ex(ossl::Context()));
  ossl::Check(BN_mod_exp(message.get(), message.get(), ossl::Number(key.exponent).get(),
                         ossl::Number(key.modulus).get(), context.get()) == 1,
              "RSA-OAEP to the storage root");
  Bytes encrypted(key.modulus.size());
  Write(message.get(), encrypted);
  Store(encrypted, made.encrypted);
  return made;
}

// One curve's arithmetic, for the time of one key agreement.
class Agreement {
 public:
  explicit Agreement(Curve curve)
      : curve_(curve),
        context_(BN_CTX_new_ex(ossl::Context())),
        group_(EC_GROUP_new_by_curve_name_ex(ossl::Context(), nullptr,
                                             EC_curve_nist2nid(Name(curve)))),
        scalar_(BN_secure_new()) {
    ossl::Check(context_ != nullptr && group_ != nullptr && scalar_ != nullptr,
                "the storage root's curve");
    BN_set_flags(scalar_.get(), BN_FLG_CONSTTIME);
    do {
      ossl::Check(BN_priv_rand_range_ex(scalar_.get(), EC_GROUP_get0_order(group_.get()), 0,
                                        context_.get()) == 1,
                  "a random scalar");
    } while (BN_is_zero(scalar_.get()));
  }

  EcPublic Own() const {
    const ossl::Point point(EC_POINT_new(group_.get()));
    ossl::Check(EC_POINT_mul(group_.get(), point.get(), scalar_.get(), nullptr, nullptr,
                             context_.get()) == 1,
                "EC_POINT_mul");
    EcPublic own{curve_, Bytes(FieldSize(curve_)), Bytes(FieldSize(curve_))};
    Coordinates(*point, own.x, own.y);
    return own;
  }

  // The x coordinate of the shared point (SP 800-56A, section 5.7.1.2).
  SecretBytes SharedX(const EcPublic& peer) const {
    const ossl::Point point(EC_POINT_new(group_.get()));
    // Fails for a point off the curve.
    if (EC_POINT_set_affine_coordinates(group_.get(), point.get(), ossl::Number(peer.x).get(),
                                        ossl::Number(peer.y).get(), context_.get()) != 1)
      throw Error(Fault::BadInput,
                  "the storage root's point is not on its curve: " + ossl::TakeError());
    ossl::Check(EC_POINT_mul(group_.get(), point.get(), nullptr, point.get(), scalar_.get(),
                             context_.get()) == 1,
                "EC_POINT_mul");
    SecretBytes x(FieldSize(curve_)), y(FieldSize(curve_));
    Coordinates(*point, {x.data(), x.size()}, {y.data(), y.size()});
    return x;
  }

 private:
  void Coordinates(const EC_POINT& point, std::span<uint8_t> x, std::span<uint8_t> y) const {
    const ossl::Bn x_number(BN_new()), y_number(BN_new());
    ossl::Check(EC_POINT_get_affine_coordinates(group_.get(), &point, x_number.get(),
                                                y_number.get(), context_.get()) == 1,
                "EC_POINT_get_affine_coordinates");
    Write(x_number.get(), x);
    Write(y_number.get(), y);
  }

  Curve curve_;
  ossl::BnCtx context_;
  ossl::Group group_;
  ossl::Bn scalar_;
};

// KDFe (section 11.4.10.3) for at most one digest of key, which is all that is needed.
SecretBytes Kdfe(Hash hash, ByteView z, const char* label, ByteView party_u, ByteView party_v) {
  return SecretBytes(Digest(hash, {BigEndian32(1), z, WithNul(label), party_u, party_v}));
}

SharedSecret SecretFor(const EcPublic& peer, Hash hash, const char* label) {
  const Agreement agreement(peer.curve);
  const EcPublic own = agreement.Own();
  const SecretBytes z = agreement.SharedX(peer);
  SharedSecret made{Kdfe(hash, z.view(), label, own.x, peer.x), {}};
  Store(
      Marshal(TPMS_ECC_POINT{Tpm2b<TPM2B_ECC_PARAMETER>(own.x), Tpm2b<TPM2B_ECC_PARAMETER>(own.y)}),
      made.encrypted);
  return made;
}

}  // namespace

SharedSecret NewSecretFor(const TPMT_PUBLIC& storage_key, const char* label) {
  const auto hash = HashOf(storage_key.nameAlg);
  if (!hash) throw Error(Fault::Corrupt, "the storage root has an unknown name algorithm");
  return std::visit([&](const auto& key) { return SecretFor(key, *hash, label); },
                    PublicKeyOf(storage_key));
}

}  // namespace keyscope::tpm::tss
