// ECDH: the scalar of each case is imported into the TPM, the shared secret is read back.
#include "tests/wycheproof/key_formats.h"
#include "tests/wycheproof/runners.h"

namespace keyscope::wycheproof {
namespace {

// What the driver's own decoding refuses does not reach the module.
constexpr Answer kUndecodable{Answer::Kind::Refused, CKR_MECHANISM_PARAM_INVALID};

Answer Derive(Module& module, ByteView params, ByteView scalar, Bytes point, const Json& test) {
  const KeyPtr key = module.Import({{CKA_CLASS, Ulong(CKO_PRIVATE_KEY)},
                                    {CKA_KEY_TYPE, Ulong(CKK_EC)},
                                    {CKA_TOKEN, Bool(false)},
                                    {CKA_DERIVE, Bool(true)},
                                    {CKA_EC_PARAMS, Copy(params)},
                                    {CKA_VALUE, Copy(scalar)}});
  CK_ECDH1_DERIVE_PARAMS ecdh{CKD_NULL, 0, nullptr, point.size(), point.data()};
  const Result shared = module.Derive(With(CKM_ECDH1_DERIVE, ecdh), *key, OrderSize(params));
  return Judge(shared.rv, {CKR_MECHANISM_PARAM_INVALID}, shared.bytes, Field(test, "shared"));
}

// The public key of a case with the curve's name around it.
Answer DeriveNamed(Module& module, const Bytes& params, const std::optional<Bytes>& scalar,
                   const std::optional<EcPoint>& peer, const Json& test) {
  if (!scalar || !peer || peer->params != params) return kUndecodable;
  return Derive(module, params, *scalar, peer->point, test);
}

}  // namespace

Case EcdhPoint(Module& module, const std::string&, const Json& group) {
  return [&module, params = CurveParams(group.at("curve"))](const Json& test) {
    return Derive(module, params, Field(test, "private"), Field(test, "public"), test);
  };
}

Case EcdhAsn(Module& module, const std::string&, const Json& group) {
  return [&module, params = CurveParams(group.at("curve"))](const Json& test) {
    return DeriveNamed(module, params, Field(test, "private"),
                       PointOfPublicKeyInfo(Field(test, "public")), test);
  };
}

Case EcdhPem(Module& module, const std::string&, const Json& group) {
  return [&module, params = CurveParams(group.at("curve"))](const Json& test) {
    const auto scalar = FromPem(test.at("private")), point = FromPem(test.at("public"));
    if (!scalar || !point) return kUndecodable;
    return DeriveNamed(module, params, ScalarOfPrivateKeyInfo(*scalar),
                       PointOfPublicKeyInfo(*point), test);
  };
}

Case EcdhWebcrypto(Module& module, const std::string&, const Json& group) {
  return [&module, params = CurveParams(group.at("curve"))](const Json& test) {
    if (!test.at("private").contains("d")) return kUndecodable;
    return DeriveNamed(module, params, FromBase64Url(test.at("private").at("d")),
                       PointOfJwk(test.at("public")), test);
  };
}

}  // namespace keyscope::wycheproof
