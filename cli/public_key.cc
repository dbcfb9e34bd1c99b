#include "cli/public_key.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <algorithm>
#include <iterator>

#include "cli/curve.h"

namespace keyscope::cli {
namespace {

using Builder = std::unique_ptr<OSSL_PARAM_BLD, ossl::Deleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, ossl::Deleter<OSSL_PARAM_free>>;
using EcdsaSig = std::unique_ptr<ECDSA_SIG, ossl::Deleter<ECDSA_SIG_free>>;

constexpr size_t kMinSignature = 8;  // shorter is none, whatever it says

ossl::Pkey Make(const char* type, OSSL_PARAM_BLD& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(&builder));
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_name(ossl::Context(), type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    throw Malformed("the public area holds no key: " + ossl::TakeError());
  return ossl::Pkey(key);
}

ossl::Pkey Make(const RsaParts& key) {
  const Builder builder(OSSL_PARAM_BLD_new());
  const ossl::Bn modulus = ossl::Number(key.modulus);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_ulong(builder.get(), OSSL_PKEY_PARAM_RSA_E, key.exponent);
  return Make("RSA", *builder);
}

ossl::Pkey Make(const EccParts& key) {
  const Curve* curve = std::ranges::find(kCurves, key.curve, &Curve::id);
  if (curve == std::end(kCurves))
    throw Malformed("the key's curve is no NIST curve of 256 bits up");
  if (key.x.size() > curve->field || key.y.size() > curve->field)
    throw Malformed("the key's point is longer than its curve");
  const uint8_t uncompressed[] = {4};
  const Bytes point =
      Concat({uncompressed, PadLeft(key.x, curve->field), PadLeft(key.y, curve->field)});
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->name.data(),
                                  curve->name.size());
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return Make("EC", *builder);
}

// ECDSA's r and s as the DER that OpenSSL verifies.
Bytes ToDer(const TpmSignature& signature) {
  const EcdsaSig pair(ECDSA_SIG_new());
  ECDSA_SIG_set0(pair.get(), ossl::Number(signature.r).release(),
                 ossl::Number(signature.s).release());
  uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  Bytes bytes(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

ossl::Pkey ToPkey(const PublicArea& area) {
  return std::visit([](const auto& key) { return Make(key); }, area.key);
}

Bytes ToSpki(const EVP_PKEY& key) {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(&key, &der);
  Bytes bytes(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return bytes;
}

std::string WhyNotSignedBy(const PublicArea& signer, ByteView data, ByteView signature) {
  if (signature.size() < kMinSignature)
    return "a signature of " + std::to_string(signature.size()) + " bytes is none";
  const TpmSignature parsed = ParseSignature(signature);
  const bool rsa = std::holds_alternative<RsaParts>(signer.key);
  if (signer.scheme != (rsa ? kAlgRsassa : kAlgEcdsa) || SecureHash(signer.scheme_hash) == nullptr)
    return "the signing key's public area names no scheme that statements are signed with";
  if (parsed.scheme != signer.scheme || parsed.hash != signer.scheme_hash)
    return "it is of another scheme than the signing key's";
  const ossl::Pkey key = ToPkey(signer);
  const ossl::MdCtx context(EVP_MD_CTX_new());
  const Bytes raw = rsa ? parsed.rsa : ToDer(parsed);
  const bool good =
      EVP_DigestVerifyInit_ex(context.get(), nullptr, SecureHash(parsed.hash), ossl::Context(),
                              nullptr, key.get(), nullptr) == 1 &&
      EVP_DigestVerify(context.get(), raw.data(), raw.size(), data.data(), data.size()) == 1;
  ossl::TakeError();
  return good ? "" : "it does not verify";
}

}  // namespace keyscope::cli
