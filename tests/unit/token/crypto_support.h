// What the tests of token/crypto share: hex, reproducible garbage, and keys made by OpenSSL to
// compare with.
#pragma once

#include <openssl/core_names.h>

#include <random>
#include <string_view>

#include "base/ossl.h"
#include "token/crypto/ec.h"
#include "tpm/types.h"

namespace keyscope::crypto::test {

inline Bytes Unhex(std::string_view hex) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// The same on every run, so that a failure repeats.
class Garbage {
 public:
  size_t Below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(engine_);
  }
  Bytes Some(size_t size) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(engine_());
    return bytes;
  }
  // `good` with a few bytes changed, cut off or appended.
  Bytes Damaged(ByteView good) {
    Bytes bytes = Copy(good);
    for (size_t changes = 1 + Below(3); changes != 0 && !bytes.empty(); --changes)
      bytes[Below(bytes.size())] = static_cast<uint8_t>(engine_());
    if (Below(4) == 0) bytes.resize(Below(bytes.size() + 1));
    if (Below(4) == 0) Append(bytes, Some(Below(9)));
    return bytes;
  }

 private:
  std::mt19937 engine_{20240901};
};

inline ossl::Pkey NewRsa(size_t bits) {
  return ossl::Pkey(EVP_PKEY_Q_keygen(ossl::Context(), nullptr, "RSA", bits));
}
inline ossl::Pkey NewEc(const char* curve) {
  return ossl::Pkey(EVP_PKEY_Q_keygen(ossl::Context(), nullptr, "EC", curve));
}
inline ossl::Pkey NewEc(tpm::Curve curve) { return NewEc(OBJ_nid2sn(Info(curve).nid)); }

// A number of a key by its OSSL_PKEY_PARAM_ name.
inline Bytes NumberOf(const ossl::Pkey& key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key.get(), name, &number);
  const ossl::Bn owner(number);
  Bytes bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return bytes;
}
inline tpm::RsaPublic RsaPublicOf(const ossl::Pkey& key) {
  return {NumberOf(key, OSSL_PKEY_PARAM_RSA_N), NumberOf(key, OSSL_PKEY_PARAM_RSA_E)};
}
inline tpm::EcPublic EcPublicOf(const ossl::Pkey& key, tpm::Curve curve) {
  const size_t field_size = Info(curve).field_size();
  return {curve, PadLeft(NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_X), field_size),
          PadLeft(NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_Y), field_size)};
}

// Writes an OpenSSL object with its i2d function.
template <typename T>
Bytes Der(int (*write)(const T*, unsigned char**), const T* object) {
  unsigned char* der = nullptr;
  const int size = write(object, &der);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

// base^exponent mod modulus, to the size of the modulus: the private operation of RSA.
inline Bytes PowerMod(ByteView base, ByteView exponent, ByteView modulus) {
  const ossl::BnCtx context(BN_CTX_new());
  const ossl::Bn result(BN_new());
  BN_mod_exp(result.get(), ossl::Number(base).get(), ossl::Number(exponent).get(),
             ossl::Number(modulus).get(), context.get());
  const Bytes stripped = StripLeadingZeros(modulus);
  Bytes bytes(stripped.size());
  BN_bn2binpad(result.get(), bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace keyscope::crypto::test
