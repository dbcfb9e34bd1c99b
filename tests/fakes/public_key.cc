#include "tests/fakes/public_key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/error.h"

namespace keyscope::test {
namespace {

using tpm::Curve;
using tpm::EcPublic;
using tpm::RsaPublic;

using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, ossl::Deleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, ossl::Deleter<OSSL_PARAM_free>>;

ossl::PkeyCtx Context(const char* algorithm) {
  ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_name(ossl::Context(), algorithm, nullptr));
  if (context == nullptr)
    throw Error(Fault::Internal,
                "OpenSSL has no " + std::string(algorithm) + ": " + ossl::TakeError());
  return context;
}

ossl::Pkey FromParams(const char* algorithm, OSSL_PARAM_BLD& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(&builder));
  const ossl::PkeyCtx context = Context(algorithm);
  EVP_PKEY* key = nullptr;
  if (params == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    throw Error(Fault::BadInput, "not a public key: " + ossl::TakeError());
  return ossl::Pkey(key);
}

ossl::Pkey ToPkey(const RsaPublic& key) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  const ossl::Bn n = ossl::Number(key.modulus);
  const ossl::Bn e = ossl::Number(key.exponent);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return FromParams("RSA", *builder);
}

ossl::Pkey ToPkey(const EcPublic& key) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  const Bytes point = Concat({Bytes{POINT_CONVERSION_UNCOMPRESSED}, key.x, key.y});
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, Name(key.curve), 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return FromParams("EC", *builder);
}

Bytes Coordinate(const EVP_PKEY& key, const char* name, size_t size) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1)
    throw Error(Fault::Internal, "OpenSSL gives no public point: " + ossl::TakeError());
  const ossl::Bn owned(number);
  Bytes bytes(size);
  if (BN_bn2binpad(number, bytes.data(), static_cast<int>(size)) < 0)
    throw Error(Fault::BadInput, "a public point that does not fit its curve");
  return bytes;
}

}  // namespace

ossl::Pkey ToPkey(const tpm::PublicKey& key) {
  return std::visit([](const auto& one) { return ToPkey(one); }, key);
}

ossl::Pkey GenerateEc(Curve curve) {
  const ossl::PkeyCtx context = Context("EC");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_group_name(context.get(), Name(curve)) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1)
    throw Error(Fault::Internal, "OpenSSL made no EC key: " + ossl::TakeError());
  return ossl::Pkey(key);
}

EcPublic PointOf(const EVP_PKEY& key, Curve curve) {
  const size_t size = FieldSize(curve);
  return {curve, Coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, size),
          Coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, size)};
}

SecretBytes SharedX(EVP_PKEY& own, EVP_PKEY& peer) {
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), &own, nullptr));
  size_t size = 0;
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), &peer) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1)
    throw Error(Fault::BadInput, "no shared point: " + ossl::TakeError());
  SecretBytes x(size);
  if (EVP_PKEY_derive(context.get(), x.data(), &size) != 1 || size != x.size())
    throw Error(Fault::BadInput, "no shared point: " + ossl::TakeError());
  return x;
}

}  // namespace keyscope::test
