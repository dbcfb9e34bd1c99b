#include "tests/contract/verify.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "tests/fakes/public_key.h"

namespace keyscope::test {
namespace {

using EcdsaSig = std::unique_ptr<ECDSA_SIG, ossl::Deleter<ECDSA_SIG_free>>;

Bytes DerOf(ByteView pair) {
  const auto half = static_cast<int>(pair.size() / 2);
  const EcdsaSig signature(ECDSA_SIG_new());
  ECDSA_SIG_set0(signature.get(), BN_bin2bn(pair.data(), half, nullptr),
                 BN_bin2bn(pair.data() + half, half, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

Bytes Number(const EVP_PKEY& key, const char* name, size_t size) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) throw std::runtime_error(name);
  const ossl::Bn owned(number);
  Bytes bytes(size == 0 ? static_cast<size_t>(BN_num_bytes(number)) : size);
  BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace

bool Verifies(const tpm::PublicKey& key, tpm::Hash hash, ByteView digest, ByteView signature) {
  const bool rsa = std::holds_alternative<tpm::RsaPublic>(key);
  const ossl::Pkey pkey = ToPkey(key);
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), pkey.get(), nullptr));
  if (EVP_PKEY_verify_init(context.get()) != 1 ||
      (rsa && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) ||
      EVP_PKEY_CTX_set_signature_md(context.get(), ossl::Digest(Name(hash))) != 1)
    throw std::runtime_error(ossl::TakeError());
  const Bytes encoded = rsa ? Copy(signature) : DerOf(signature);
  const int verdict =
      EVP_PKEY_verify(context.get(), encoded.data(), encoded.size(), digest.data(), digest.size());
  ossl::TakeError();
  return verdict == 1;
}

bool VerifiesPss(const tpm::PublicKey& key, tpm::Hash hash, ByteView digest, ByteView signature) {
  const ossl::Pkey pkey = ToPkey(key);
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), pkey.get(), nullptr));
  if (EVP_PKEY_verify_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), ossl::Digest(Name(hash))) != 1 ||
      EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) != 1)
    throw std::runtime_error(ossl::TakeError());
  const int verdict = EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                                      digest.data(), digest.size());
  ossl::TakeError();
  return verdict == 1;
}

Bytes EncryptPadded(const tpm::PublicKey& key, tpm::RsaPadding padding, tpm::Hash hash,
                    ByteView message) {
  const bool oaep = padding == tpm::RsaPadding::Oaep;
  const ossl::Pkey pkey = ToPkey(key);
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), pkey.get(), nullptr));
  Bytes output(static_cast<size_t>(EVP_PKEY_get_size(pkey.get())));
  size_t size = output.size();
  if (EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(),
                                   oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING) != 1 ||
      (oaep && EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), ossl::Digest(Name(hash))) != 1) ||
      EVP_PKEY_encrypt(context.get(), output.data(), &size, message.data(), message.size()) != 1)
    throw std::runtime_error(ossl::TakeError());
  return output;
}

Bytes RawPublic(const tpm::RsaPublic& key, ByteView input) {
  const ossl::Pkey pkey = ToPkey(key);
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), pkey.get(), nullptr));
  Bytes output(key.modulus.size());
  size_t size = output.size();
  if (EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) != 1 ||
      EVP_PKEY_encrypt(context.get(), output.data(), &size, input.data(), input.size()) != 1)
    throw std::runtime_error(ossl::TakeError());
  return output;
}

MadeKey MakeRsa(unsigned bits) {
  ossl::Pkey pkey(EVP_PKEY_Q_keygen(ossl::Context(), nullptr, "RSA", static_cast<size_t>(bits)));
  tpm::RsaPrivate parts{{Number(*pkey, OSSL_PKEY_PARAM_RSA_N, 0), {1, 0, 1}},
                        SecretBytes(Number(*pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, 0))};
  return {std::move(pkey), std::move(parts)};
}

MadeKey MakeEc(tpm::Curve curve) {
  ossl::Pkey pkey = GenerateEc(curve);
  tpm::EcPrivate parts{PointOf(*pkey, curve),
                       SecretBytes(Number(*pkey, OSSL_PKEY_PARAM_PRIV_KEY, FieldSize(curve)))};
  return {std::move(pkey), std::move(parts)};
}

}  // namespace keyscope::test
