#include "token/public_of.h"

#include "base/error.h"
#include "token/crypto/ec.h"
#include "token/crypto/key_info.h"
#include "token/crypto/rsa.h"

namespace keyscope::token {
namespace {

tpm::PublicKey Rsa(const AttributeSet& attributes) {
  auto key =
      crypto::RsaPublicFrom(attributes.Get(CKA_MODULUS), attributes.Get(CKA_PUBLIC_EXPONENT));
  if (!key) throw Error(Fault::Corrupt, "the key's modulus or exponent is damaged; delete it");
  return std::move(*key);
}

tpm::PublicKey Ec(const Object& object) {
  auto key = crypto::DecodePoint(CurveOf(object), object.attributes.Get(CKA_EC_POINT));
  if (!key) throw Error(Fault::Corrupt, "the key's point is damaged; delete it");
  return std::move(*key);
}

}  // namespace

tpm::PublicKey PublicOf(const Object& object) {
  const bool rsa = object.kind == kRsaPublic || object.kind == kRsaPrivate;
  return rsa ? Rsa(object.attributes) : Ec(object);
}

tpm::Curve CurveOf(const Object& object) {
  const auto curve = crypto::CurveFromParams(object.attributes.Get(CKA_EC_PARAMS));
  if (!curve) throw Error(Fault::Corrupt, "the key's curve is damaged; delete it");
  return *curve;
}

std::shared_ptr<const crypto::SoftwareKey> SoftwareKeyOf(const Object& object) {
  if (object.software_key != nullptr) return object.software_key;
  return std::make_shared<const crypto::SoftwareKey>(PublicOf(object));
}

void SetPublic(AttributeSet& attributes, Kind kind, const tpm::PublicKey& key) {
  auto set = [&](CK_ATTRIBUTE_TYPE type, ByteView value) {
    if (FindRule(type, kind) != nullptr) attributes.Set(type, value);
  };
  if (const auto* rsa = std::get_if<tpm::RsaPublic>(&key)) {
    set(CKA_MODULUS, rsa->modulus);
    set(CKA_PUBLIC_EXPONENT, rsa->exponent);
    if (FindRule(CKA_MODULUS_BITS, kind) != nullptr)
      attributes.SetUlong(CKA_MODULUS_BITS, static_cast<CK_ULONG>(crypto::ModulusBits(*rsa)));
  } else {
    const auto& ec = std::get<tpm::EcPublic>(key);
    set(CKA_EC_PARAMS, crypto::ParamsOf(ec.curve));
    set(CKA_EC_POINT, crypto::EncodePoint(ec));
  }
  set(CKA_PUBLIC_KEY_INFO, crypto::EncodePublicKeyInfo(key));
}

}  // namespace keyscope::token
