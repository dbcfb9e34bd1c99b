#include "tests/fakes/fake_keys.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/error.h"
#include "tests/fakes/public_key.h"

namespace keyscope::test {
namespace {

using tpm::Curve;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, ossl::Deleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, ossl::Deleter<OSSL_PARAM_free>>;
using EcdsaSig = std::unique_ptr<ECDSA_SIG, ossl::Deleter<ECDSA_SIG_free>>;

void Check(bool ok, Fault fault = Fault::Internal) {
  if (!ok) throw Error(fault, "fake: " + ossl::TakeError());
}

Bytes NumberOf(const EVP_PKEY& key, const char* name) {
  BIGNUM* number = nullptr;
  Check(EVP_PKEY_get_bn_param(&key, name, &number) == 1);
  const ossl::Bn owned(number);
  Bytes bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return bytes;
}

ossl::PkeyCtx ContextOf(EVP_PKEY& key) {
  return ossl::PkeyCtx(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), &key, nullptr));
}

ossl::Pkey Build(const char* algorithm, OSSL_PARAM_BLD& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(&builder));
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_name(ossl::Context(), algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  Check(EVP_PKEY_fromdata_init(context.get()) == 1 &&
            EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) == 1,
        Fault::BadInput);
  ossl::Pkey made(key);
  Check(EVP_PKEY_pairwise_check(ContextOf(*made).get()) == 1, Fault::BadInput);
  return made;
}

ossl::Pkey FromParts(const tpm::RsaPrivate& key) {
  const ossl::BnCtx context(BN_CTX_new_ex(ossl::Context()));
  const ossl::Bn n = ossl::Number(key.public_key.modulus),
                 e = ossl::Number(key.public_key.exponent);
  const ossl::Bn p = ossl::Number(key.prime.view());
  const ossl::Bn q(BN_new()), rest(BN_new()), p1(BN_dup(p.get())), q1(BN_new()), phi(BN_new());
  const ossl::Bn d(BN_new()), dp(BN_new()), dq(BN_new()), qinv(BN_new());
  Check(BN_div(q.get(), rest.get(), n.get(), p.get(), context.get()) == 1 && BN_is_zero(rest.get()),
        Fault::BadInput);
  BN_sub_word(p1.get(), 1);
  BN_sub(q1.get(), q.get(), BN_value_one());
  BN_mul(phi.get(), p1.get(), q1.get(), context.get());
  Check(BN_mod_inverse(d.get(), e.get(), phi.get(), context.get()) != nullptr, Fault::BadInput);
  BN_mod(dp.get(), d.get(), p1.get(), context.get());
  BN_mod(dq.get(), d.get(), q1.get(), context.get());
  Check(BN_mod_inverse(qinv.get(), q.get(), p.get(), context.get()) != nullptr, Fault::BadInput);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  const std::pair<const char*, const ossl::Bn&> numbers[] = {
      {OSSL_PKEY_PARAM_RSA_N, n},          {OSSL_PKEY_PARAM_RSA_E, e},
      {OSSL_PKEY_PARAM_RSA_D, d},          {OSSL_PKEY_PARAM_RSA_FACTOR1, p},
      {OSSL_PKEY_PARAM_RSA_FACTOR2, q},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, dp},
      {OSSL_PKEY_PARAM_RSA_EXPONENT2, dq}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qinv}};
  for (const auto& [name, number] : numbers)
    OSSL_PARAM_BLD_push_BN(builder.get(), name, number.get());
  return Build("RSA", *builder);
}

ossl::Pkey FromParts(const tpm::EcPrivate& key) {
  const tpm::EcPublic& point = key.public_key;
  const Bytes encoded = Concat({Bytes{POINT_CONVERSION_UNCOMPRESSED}, point.x, point.y});
  const ossl::Bn scalar = ossl::Number(key.scalar.view());
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, Name(point.curve), 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(),
                                   encoded.size());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get());
  return Build("EC", *builder);
}

Curve CurveOf(const EVP_PKEY& key) {
  char group[64] = "";
  size_t size = 0;
  Check(EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                       &size) == 1);
  const int nid = OBJ_sn2nid(group);
  for (Curve curve : {Curve::P256, Curve::P384, Curve::P521})
    if (EC_curve_nist2nid(Name(curve)) == nid) return curve;
  throw Error(Fault::Internal, "fake: no such curve");
}

}  // namespace

ossl::Pkey Generate(const tpm::KeySpec& spec) {
  if (const auto* ec = std::get_if<tpm::EcSpec>(&spec.algorithm)) return GenerateEc(ec->curve);
  const size_t bits = std::get<tpm::RsaSpec>(spec.algorithm).bits;
  ossl::Pkey made(EVP_PKEY_Q_keygen(ossl::Context(), nullptr, "RSA", bits));
  Check(made != nullptr);
  return made;
}

ossl::Pkey FromPrivate(const tpm::PrivateKey& key) {
  return std::visit([](const auto& one) { return FromParts(one); }, key);
}

tpm::PublicKey PublicPart(const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "EC")) return PointOf(key, CurveOf(key));
  return tpm::RsaPublic{NumberOf(key, OSSL_PKEY_PARAM_RSA_N), NumberOf(key, OSSL_PKEY_PARAM_RSA_E)};
}

Bytes ToDer(const EVP_PKEY& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(&key, &der);
  Check(size > 0);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

ossl::Pkey FromDer(ByteView der) {
  const unsigned char* at = der.data();
  ossl::Pkey key(
      d2i_AutoPrivateKey_ex(nullptr, &at, static_cast<long>(der.size()), ossl::Context(), nullptr));
  Check(key != nullptr, Fault::Corrupt);
  return key;
}

Bytes SignDigest(EVP_PKEY& key, tpm::Hash hash, ByteView digest) {
  const ossl::PkeyCtx context = ContextOf(key);
  const bool rsa = EVP_PKEY_is_a(&key, "RSA") == 1;
  Check(EVP_PKEY_sign_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context.get(), ossl::Digest(Name(hash))) == 1 &&
        (!rsa || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1));
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(&key)));
  size_t size = signature.size();
  Check(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1,
        Fault::BadInput);
  signature.resize(size);
  if (rsa) return signature;
  const unsigned char* at = signature.data();
  const EcdsaSig pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  const size_t field = FieldSize(CurveOf(key));
  Bytes joined(2 * field);
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), joined.data(), static_cast<int>(field));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), joined.data() + field, static_cast<int>(field));
  return joined;
}

Bytes SignPss(EVP_PKEY& key, tpm::Hash hash, ByteView digest) {
  const ossl::PkeyCtx context = ContextOf(key);
  Check(EVP_PKEY_sign_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context.get(), ossl::Digest(Name(hash))) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1);
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(&key)));
  size_t size = signature.size();
  Check(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1,
        Fault::BadInput);
  return signature;
}

SecretBytes DecryptPadded(EVP_PKEY& key, tpm::RsaPadding padding, tpm::Hash hash,
                          ByteView ciphertext) {
  const bool oaep = padding == tpm::RsaPadding::Oaep;
  const ossl::PkeyCtx context = ContextOf(key);
  Check(EVP_PKEY_decrypt_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(),
                                     oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING) == 1);
  if (oaep) EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), ossl::Digest(Name(hash)));
  Bytes plain(static_cast<size_t>(EVP_PKEY_get_size(&key)));
  size_t size = plain.size();
  Check(EVP_PKEY_decrypt(context.get(), plain.data(), &size, ciphertext.data(),
                         ciphertext.size()) == 1,
        Fault::BadInput);
  plain.resize(size);
  return SecretBytes(std::move(plain));
}

SecretBytes Aes(tpm::AesMode mode, tpm::Direction direction, ByteView key, Bytes& iv,
                ByteView data) {
  constexpr const char* kNames[] = {"ECB", "CBC", "CTR", "CFB", "OFB"};
  const std::string name =
      "AES-" + std::to_string(key.size() * 8) + "-" + kNames[static_cast<size_t>(mode)];
  const ossl::CipherCtx context(EVP_CIPHER_CTX_new());
  SecretBytes done(data.size());
  int size = 0;
  Check(EVP_CipherInit_ex2(context.get(), ossl::Cipher(name.c_str()), key.data(), iv.data(),
                           direction == tpm::Direction::Encrypt ? 1 : 0, nullptr) == 1);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  Check(EVP_CipherUpdate(context.get(), done.data(), &size, data.data(),
                         static_cast<int>(data.size())) == 1 &&
        EVP_CIPHER_CTX_get_updated_iv(context.get(), iv.data(), iv.size()) == 1);
  return done;
}

SecretBytes RawPrivate(EVP_PKEY& key, ByteView input) {
  const ossl::PkeyCtx context = ContextOf(key);
  SecretBytes output(input.size());
  size_t size = output.size();
  Check(EVP_PKEY_decrypt_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
  Check(EVP_PKEY_decrypt(context.get(), output.data(), &size, input.data(), input.size()) == 1,
        Fault::BadInput);
  return output;
}

}  // namespace keyscope::test
