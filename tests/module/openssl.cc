#include "tests/module/openssl.h"

#include <openssl/bn.h>
#include <openssl/cmac.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "tests/module/module_fixture.h"

namespace keyscope::test {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using PkeyCtx = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using CipherCtx = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

void Must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

template <typename Encode>
Bytes Der(Encode encode) {
  const int size = encode(nullptr);
  Must(size > 0, "encoding to DER");
  Bytes der(static_cast<size_t>(size));
  uint8_t* end = der.data();
  encode(&end);
  return der;
}

Bytes Number(const Key& key, const char* name) {
  BIGNUM* raw = nullptr;
  Must(EVP_PKEY_get_bn_param(key.get(), name, &raw) == 1, name);
  std::unique_ptr<BIGNUM, Freed<BN_free>> number(raw);
  Bytes bytes(static_cast<size_t>(BN_num_bytes(raw)));
  BN_bn2bin(raw, bytes.data());
  return bytes;
}

const CurveRow& CurveOf(const Key& key) {
  const int bits = EVP_PKEY_get_bits(key.get());
  return Curves()[bits == 256 ? 0 : bits == 384 ? 1 : 2];
}

bool IsRsa(const Key& key) { return EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA; }

PkeyCtx ContextOf(const Key& key) {
  return PkeyCtx(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
}

void Configure(EVP_PKEY_CTX* context, const RsaUse& use, bool signature) {
  Must(EVP_PKEY_CTX_set_rsa_padding(context, use.padding) > 0, "padding");
  const EVP_MD* hash = use.hash == nullptr ? nullptr : EVP_get_digestbyname(use.hash);
  const EVP_MD* mgf = use.mgf == nullptr ? nullptr : EVP_get_digestbyname(use.mgf);
  if (signature && hash != nullptr) Must(EVP_PKEY_CTX_set_signature_md(context, hash) > 0, "hash");
  if (use.padding == RSA_PKCS1_PSS_PADDING)
    Must(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, use.salt) > 0, "salt");
  if (use.padding == RSA_PKCS1_OAEP_PADDING) {
    Must(EVP_PKEY_CTX_set_rsa_oaep_md(context, hash) > 0, "OAEP hash");
    if (!use.label.empty()) {
      auto* label = static_cast<uint8_t*>(OPENSSL_memdup(use.label.data(), use.label.size()));
      EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, static_cast<int>(use.label.size()));
    }
  }
  if (mgf != nullptr) Must(EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf) > 0, "MGF");
}

using Transform = int (*)(EVP_PKEY_CTX*, unsigned char*, size_t*, const unsigned char*, size_t);
Bytes Apply(EVP_PKEY_CTX* context, Transform transform, ByteView data) {
  size_t size = 0;
  Must(transform(context, nullptr, &size, data.data(), data.size()) > 0, "size of the result");
  Bytes result(size);
  Must(transform(context, result.data(), &size, data.data(), data.size()) > 0, "operation");
  result.resize(size);
  return result;
}

Bytes RunKdf(const char* name, const OSSL_PARAM* parameters, size_t size) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, name, nullptr);
  std::unique_ptr<EVP_KDF_CTX, Freed<EVP_KDF_CTX_free>> context(EVP_KDF_CTX_new(kdf));
  EVP_KDF_free(kdf);
  Bytes result(size);
  Must(EVP_KDF_derive(context.get(), result.data(), size, parameters) > 0, name);
  return result;
}

OSSL_PARAM Octets(const char* name, ByteView value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(value.data()), value.size());
}
OSSL_PARAM Text(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

}  // namespace

Key NewRsa(unsigned bits) { return Key(EVP_RSA_gen(bits)); }
Key NewEc(const char* curve) { return Key(EVP_EC_gen(curve)); }

Key FromPublicKeyInfo(ByteView der) {
  const uint8_t* at = der.data();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  Must(key != nullptr, "SubjectPublicKeyInfo");
  return key;
}

Bytes PublicKeyInfo(const Key& key) {
  return Der([&](uint8_t** out) { return i2d_PUBKEY(key.get(), out); });
}

Bytes PrivateKeyInfo(const Key& key) {
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>> info(
      EVP_PKEY2PKCS8(key.get()));
  return Der([&](uint8_t** out) { return i2d_PKCS8_PRIV_KEY_INFO(info.get(), out); });
}

Bytes RawPoint(const Key& key) {
  const size_t size = CurveOf(key).size;
  const Bytes x = PadLeft(Number(key, OSSL_PKEY_PARAM_EC_PUB_X), size);
  const Bytes y = PadLeft(Number(key, OSSL_PKEY_PARAM_EC_PUB_Y), size);
  return Concat({Bytes{4}, x, y});
}

Bytes OctetString(ByteView raw) {
  Bytes der{4};
  if (raw.size() >= 128) der.push_back(0x81);
  der.push_back(static_cast<uint8_t>(raw.size()));
  Append(der, raw);
  return der;
}

Attributes PublicTemplate(const Key& key) {
  if (IsRsa(key))
    return {{CKA_CLASS, CKO_PUBLIC_KEY},
            {CKA_KEY_TYPE, CKK_RSA},
            {CKA_MODULUS, Number(key, OSSL_PKEY_PARAM_RSA_N)},
            {CKA_PUBLIC_EXPONENT, Number(key, OSSL_PKEY_PARAM_RSA_E)}};
  return {{CKA_CLASS, CKO_PUBLIC_KEY},
          {CKA_KEY_TYPE, CKK_EC},
          {CKA_EC_PARAMS, CurveOf(key).params},
          {CKA_EC_POINT, OctetString(RawPoint(key))}};
}

Attributes PrivateTemplate(const Key& key) {
  if (IsRsa(key))
    return {{CKA_CLASS, CKO_PRIVATE_KEY},
            {CKA_KEY_TYPE, CKK_RSA},
            {CKA_MODULUS, Number(key, OSSL_PKEY_PARAM_RSA_N)},
            {CKA_PUBLIC_EXPONENT, Number(key, OSSL_PKEY_PARAM_RSA_E)},
            {CKA_PRIVATE_EXPONENT, Number(key, OSSL_PKEY_PARAM_RSA_D)},
            {CKA_PRIME_1, Number(key, OSSL_PKEY_PARAM_RSA_FACTOR1)},
            {CKA_PRIME_2, Number(key, OSSL_PKEY_PARAM_RSA_FACTOR2)}};
  return {{CKA_CLASS, CKO_PRIVATE_KEY},
          {CKA_KEY_TYPE, CKK_EC},
          {CKA_EC_PARAMS, CurveOf(key).params},
          {CKA_VALUE, Number(key, OSSL_PKEY_PARAM_PRIV_KEY)}};
}

Bytes Digest(const char* hash, ByteView data) {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  Must(EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_get_digestbyname(hash),
                  nullptr) > 0,
       hash);
  digest.resize(size);
  return digest;
}

Bytes Hmac(const char* hash, ByteView key, ByteView data) {
  Bytes mac(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  HMAC(EVP_get_digestbyname(hash), key.data(), static_cast<int>(key.size()), data.data(),
       data.size(), mac.data(), &size);
  mac.resize(size);
  return mac;
}

Bytes AesCmac(ByteView key, ByteView data) {
  const std::string cipher = "AES-" + std::to_string(key.size() * 8) + "-CBC";
  Bytes mac(16);
  size_t size = 0;
  Must(EVP_Q_mac(nullptr, "CMAC", nullptr, cipher.c_str(), nullptr, key.data(), key.size(),
                 data.data(), data.size(), mac.data(), mac.size(), &size) != nullptr,
       "CMAC");
  return mac;
}

Bytes Cipher(const char* name, bool encrypt, ByteView key, ByteView iv, ByteView data) {
  const std::string full = "AES-" + std::to_string(key.size() * 8) + "-" + name;
  const bool pads = full.ends_with("-PAD");
  CipherCtx context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* cipher =
      EVP_get_cipherbyname(pads ? full.substr(0, full.size() - 4).c_str() : full.c_str());
  Must(EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(),
                         iv.empty() ? nullptr : iv.data(), encrypt ? 1 : 0) > 0,
       name);
  EVP_CIPHER_CTX_set_padding(context.get(), pads ? 1 : 0);
  Bytes result(data.size() + 32);
  int size = 0, end = 0;
  Must(EVP_CipherUpdate(context.get(), result.data(), &size, data.data(),
                        static_cast<int>(data.size())) > 0,
       name);
  Must(EVP_CipherFinal_ex(context.get(), result.data() + size, &end) > 0, name);
  result.resize(static_cast<size_t>(size + end));
  return result;
}

Bytes GcmEncrypt(ByteView key, ByteView iv, ByteView aad, ByteView data, size_t tag_size) {
  const std::string name = "AES-" + std::to_string(key.size() * 8) + "-GCM";
  CipherCtx context(EVP_CIPHER_CTX_new());
  EVP_CipherInit_ex(context.get(), EVP_get_cipherbyname(name.c_str()), nullptr, nullptr, nullptr,
                    1);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(iv.size()), nullptr);
  Must(EVP_CipherInit_ex(context.get(), nullptr, nullptr, key.data(), iv.data(), 1) > 0, "GCM");
  int size = 0;
  if (!aad.empty())
    EVP_CipherUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size()));
  Bytes result(data.size() + 16), tag(tag_size);
  size = 0;
  if (!data.empty())
    EVP_CipherUpdate(context.get(), result.data(), &size, data.data(),
                     static_cast<int>(data.size()));
  result.resize(static_cast<size_t>(size));
  EVP_CipherFinal_ex(context.get(), tag.data(), &size);
  Must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_size),
                           tag.data()) > 0,
       "GCM tag");
  return Concat({result, tag});
}

Bytes WrapAes(const char* name, ByteView key, ByteView data) {
  CipherCtx context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>> cipher(
      EVP_CIPHER_fetch(nullptr, name, nullptr));
  Must(EVP_EncryptInit_ex(context.get(), cipher.get(), nullptr, key.data(), nullptr) > 0, name);
  Bytes result(data.size() + 32);
  int size = 0;
  Must(EVP_EncryptUpdate(context.get(), result.data(), &size, data.data(),
                         static_cast<int>(data.size())) > 0,
       name);
  result.resize(static_cast<size_t>(size));
  return result;
}

Bytes Ecdh(const Key& own, const Key& peer) {
  const PkeyCtx context = ContextOf(own);
  Must(EVP_PKEY_derive_init(context.get()) > 0 &&
           EVP_PKEY_derive_set_peer(context.get(), peer.get()) > 0,
       "ECDH");
  size_t size = 0;
  EVP_PKEY_derive(context.get(), nullptr, &size);
  Bytes shared(size);
  Must(EVP_PKEY_derive(context.get(), shared.data(), &size) > 0, "ECDH");
  return shared;
}

Bytes HkdfOf(const char* hash, const char* mode, ByteView key, ByteView salt, ByteView info,
             size_t size) {
  std::vector<OSSL_PARAM> parameters = {Text(OSSL_KDF_PARAM_DIGEST, hash),
                                        Text(OSSL_KDF_PARAM_MODE, mode),
                                        Octets(OSSL_KDF_PARAM_KEY, key)};
  if (!salt.empty()) parameters.push_back(Octets(OSSL_KDF_PARAM_SALT, salt));
  if (!info.empty()) parameters.push_back(Octets(OSSL_KDF_PARAM_INFO, info));
  parameters.push_back(OSSL_PARAM_construct_end());
  return RunKdf("HKDF", parameters.data(), size);
}

Bytes CounterKdfOf(const char* hash, ByteView key, ByteView label, ByteView context, size_t size) {
  const std::string cipher = "AES-" + std::to_string(key.size() * 8) + "-CBC";
  const OSSL_PARAM parameters[] = {Text(OSSL_KDF_PARAM_MAC, hash != nullptr ? "HMAC" : "CMAC"),
                                   hash != nullptr ? Text(OSSL_KDF_PARAM_DIGEST, hash)
                                                   : Text(OSSL_KDF_PARAM_CIPHER, cipher.c_str()),
                                   Octets(OSSL_KDF_PARAM_KEY, key),
                                   Octets(OSSL_KDF_PARAM_SALT, label),
                                   Octets(OSSL_KDF_PARAM_INFO, context),
                                   OSSL_PARAM_construct_end()};
  return RunKdf("KBKDF", parameters, size);
}

Bytes X963(const char* hash, ByteView secret, ByteView info, size_t size) {
  const OSSL_PARAM parameters[] = {Text(OSSL_KDF_PARAM_DIGEST, hash),
                                   Octets(OSSL_KDF_PARAM_KEY, secret),
                                   Octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  return RunKdf("X963KDF", parameters, size);
}

bool VerifyDigest(const Key& key, const RsaUse& use, ByteView digest, ByteView signature) {
  const PkeyCtx context = ContextOf(key);
  EVP_PKEY_verify_init(context.get());
  Configure(context.get(), use, true);
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1;
}

Bytes SignDigest(const Key& key, const RsaUse& use, ByteView digest) {
  const PkeyCtx context = ContextOf(key);
  EVP_PKEY_sign_init(context.get());
  Configure(context.get(), use, true);
  return Apply(context.get(), EVP_PKEY_sign, digest);
}

Bytes EncryptRsa(const Key& key, const RsaUse& use, ByteView data) {
  const PkeyCtx context = ContextOf(key);
  EVP_PKEY_encrypt_init(context.get());
  Configure(context.get(), use, false);
  return Apply(context.get(), EVP_PKEY_encrypt, data);
}

Bytes DecryptRsa(const Key& key, const RsaUse& use, ByteView data) {
  const PkeyCtx context = ContextOf(key);
  EVP_PKEY_decrypt_init(context.get());
  Configure(context.get(), use, false);
  return Apply(context.get(), EVP_PKEY_decrypt, data);
}

bool VerifyEcdsa(const Key& key, ByteView digest, ByteView signature) {
  const size_t half = signature.size() / 2;
  std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> parts(ECDSA_SIG_new());
  ECDSA_SIG_set0(parts.get(), BN_bin2bn(signature.data(), static_cast<int>(half), nullptr),
                 BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr));
  const Bytes der = Der([&](uint8_t** out) { return i2d_ECDSA_SIG(parts.get(), out); });
  const PkeyCtx context = ContextOf(key);
  EVP_PKEY_verify_init(context.get());
  return EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size()) == 1;
}

Bytes SignEcdsa(const Key& key, ByteView digest) {
  const PkeyCtx context = ContextOf(key);
  EVP_PKEY_sign_init(context.get());
  const Bytes der = Apply(context.get(), EVP_PKEY_sign, digest);
  const uint8_t* at = der.data();
  std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  const size_t size = CurveOf(key).size;
  Bytes signature(2 * size);
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), signature.data(), static_cast<int>(size));
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), signature.data() + size, static_cast<int>(size));
  return signature;
}

Certificate SelfSigned() {
  const Key key = NewEc("P-256");
  std::unique_ptr<X509, Freed<X509_free>> x509(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 4711);
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
  X509_set_pubkey(x509.get(), key.get());
  X509_NAME* name = X509_get_subject_name(x509.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const uint8_t*>("test"), -1,
                             -1, 0);
  X509_set_issuer_name(x509.get(), name);
  Must(X509_sign(x509.get(), key.get(), EVP_sha256()) > 0, "certificate");
  return {Der([&](uint8_t** out) { return i2d_X509(x509.get(), out); }),
          Der([&](uint8_t** out) { return i2d_X509_NAME(name, out); }), Der([&](uint8_t** out) {
            return i2d_ASN1_INTEGER(X509_get_serialNumber(x509.get()), out);
          }),
          PublicKeyInfo(key)};
}

}  // namespace keyscope::test
