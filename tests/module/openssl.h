// OpenSSL as the tests' independent opinion, in its own default context.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>

#include "tests/module/attributes.h"

namespace keyscope::test {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Key NewRsa(unsigned bits);
Key NewEc(const char* curve);
Key FromPublicKeyInfo(ByteView der);
Bytes PublicKeyInfo(const Key& key);
Bytes PrivateKeyInfo(const Key& key);  // PKCS #8
Bytes RawPoint(const Key& key);        // 04 x y
Bytes OctetString(ByteView raw);       // DER

// Templates of session objects for C_CreateObject.
Attributes PublicTemplate(const Key& key);
Attributes PrivateTemplate(const Key& key);

Bytes Digest(const char* hash, ByteView data);
Bytes Hmac(const char* hash, ByteView key, ByteView data);
Bytes AesCmac(ByteView key, ByteView data);
Bytes Cipher(const char* name, bool encrypt, ByteView key, ByteView iv, ByteView data);
// Ciphertext and tag.
Bytes GcmEncrypt(ByteView key, ByteView iv, ByteView aad, ByteView data, size_t tag_size);
Bytes WrapAes(const char* cipher, ByteView key, ByteView data);
Bytes Ecdh(const Key& own, const Key& peer);  // the shared x
Bytes HkdfOf(const char* hash, const char* mode, ByteView key, ByteView salt, ByteView info,
             size_t size);
// SP 800-108 in counter mode with a 32-bit counter: HMAC with `hash`, or with nullptr AES-CMAC.
// [i] || label || 0 || context || [L]
Bytes CounterKdfOf(const char* hash, ByteView key, ByteView label, ByteView context, size_t size);
Bytes X963(const char* hash, ByteView secret, ByteView info, size_t size);

// How an RSA key is used.
struct RsaUse {
  int padding;
  const char* hash = nullptr;  // of the digest (signatures), or OAEP's
  const char* mgf = nullptr;
  int salt = 0;
  ByteView label = {};
};
bool VerifyDigest(const Key& key, const RsaUse& use, ByteView digest, ByteView signature);
Bytes SignDigest(const Key& key, const RsaUse& use, ByteView digest);
Bytes EncryptRsa(const Key& key, const RsaUse& use, ByteView data);
Bytes DecryptRsa(const Key& key, const RsaUse& use, ByteView data);
// `signature`: r and s side by side, as in PKCS #11.
bool VerifyEcdsa(const Key& key, ByteView digest, ByteView signature);
Bytes SignEcdsa(const Key& key, ByteView digest);

struct Certificate {
  Bytes der, subject, serial, public_key_info;  // all DER
};
Certificate SelfSigned();

}  // namespace keyscope::test
