// Verification with public keys.
#include "tests/wycheproof/key_formats.h"
#include "tests/wycheproof/runners.h"

namespace keyscope::wycheproof {
namespace {

KeyPtr ImportPoint(Module& module, const EcPoint& key) {
  return module.Import({{CKA_CLASS, Ulong(CKO_PUBLIC_KEY)},
                        {CKA_KEY_TYPE, Ulong(CKK_EC)},
                        {CKA_TOKEN, Bool(false)},
                        {CKA_EC_PARAMS, key.params},
                        {CKA_EC_POINT, key.point}});
}

KeyPtr ImportRsaPublic(Module& module, const Json& group) {
  const Json& key = group.at("publicKey");
  return module.Import({{CKA_CLASS, Ulong(CKO_PUBLIC_KEY)},
                        {CKA_KEY_TYPE, Ulong(CKK_RSA)},
                        {CKA_TOKEN, Bool(false)},
                        {CKA_MODULUS, Field(key, "modulus")},
                        {CKA_PUBLIC_EXPONENT, Field(key, "publicExponent")}});
}

Answer Verified(CK_RV rv) { return Judge(rv, {CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE}); }

// `decode` gives the signature as the mechanism takes it; nullopt is a refusal.
template <typename Decode>
Case Ecdsa(Module& module, const Json& group, Decode decode) {
  const auto& hash = HashNamed(group.at("sha"));
  module.Need(hash.ecdsa, hash.name);
  const auto point = PointOfPublicKeyInfo(Field(group, "publicKeyDer"));
  if (!point) throw std::runtime_error("publicKeyDer is no elliptic-curve key");
  return [&module, type = hash.ecdsa, key = ImportPoint(module, *point),
          size = OrderSize(point->params), decode](const Json& test) -> Answer {
    const auto signature = decode(Field(test, "sig"), size);
    if (!signature) return {Answer::Kind::Refused, CKR_SIGNATURE_INVALID};
    return Verified(module.Verify(Plain(type), *key, Field(test, "msg"), *signature));
  };
}

}  // namespace

Case EcdsaP1363(Module& module, const std::string&, const Json& group) {
  return Ecdsa(module, group,
               [](const Bytes& signature, size_t) { return std::optional(signature); });
}

Case EcdsaDer(Module& module, const std::string&, const Json& group) {
  return Ecdsa(module, group, EcdsaFromDer);
}

Case RsaPkcs1Verify(Module& module, const std::string&, const Json& group) {
  const auto& hash = HashNamed(group.at("sha"));
  module.Need(hash.pkcs1, hash.name);
  return [&module, type = hash.pkcs1, key = ImportRsaPublic(module, group)](const Json& test) {
    return Verified(module.Verify(Plain(type), *key, Field(test, "msg"), Field(test, "sig")));
  };
}

Case RsaPssVerify(Module& module, const std::string&, const Json& group) {
  if (group.at("mgf") != "MGF1") throw Skip("mask generation function " + group.at("mgf").dump());
  const auto& hash = HashNamed(group.at("sha"));
  const auto& mgf = HashNamed(group.at("mgfSha"));
  module.Need(hash.pss, hash.name);
  CK_RSA_PKCS_PSS_PARAMS pss{hash.digest, mgf.mgf, group.at("sLen").get<CK_ULONG>()};
  return [&module, type = hash.pss, pss,
          key = ImportRsaPublic(module, group)](const Json& test) mutable {
    return Verified(module.Verify(With(type, pss), *key, Field(test, "msg"), Field(test, "sig")));
  };
}

}  // namespace keyscope::wycheproof
