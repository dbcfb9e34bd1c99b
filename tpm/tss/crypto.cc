#include "tpm/tss/crypto.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/ossl.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

const char* CipherFor(size_t key_size) {
  switch (key_size) {
    case 16:
      return "AES-128-CFB";
    case 24:
      return "AES-192-CFB";
    case 32:
      return "AES-256-CFB";
    default:
      throw Error(Fault::Unsupported, "the storage root's symmetric key has an unusual size");
  }
}

}  // namespace

ByteView WithNul(const char* label) {
  return {reinterpret_cast<const uint8_t*>(label), std::strlen(label) + 1};
}

Bytes Digest(Hash hash, std::initializer_list<ByteView> parts) {
  const ossl::MdCtx context(EVP_MD_CTX_new());
  ossl::Check(EVP_DigestInit_ex2(context.get(), ossl::Digest(Name(hash)), nullptr) == 1, "digest");
  for (ByteView part : parts)
    ossl::Check(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1, "digest");
  Bytes digest(DigestSize(hash));
  ossl::Check(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1, "digest");
  return digest;
}

Bytes Hmac(Hash hash, ByteView key, std::initializer_list<ByteView> parts) {
  const ossl::MacCtx context(EVP_MAC_CTX_new(ossl::Mac("HMAC")));
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(Name(hash)), 0),
      OSSL_PARAM_construct_end()};
  // An empty key still needs a pointer, or OpenSSL takes it for "the key of before".
  const uint8_t none = 0;
  ossl::Check(
      EVP_MAC_init(context.get(), key.empty() ? &none : key.data(), key.size(), params) == 1,
      "HMAC");
  for (ByteView part : parts)
    ossl::Check(EVP_MAC_update(context.get(), part.data(), part.size()) == 1, "HMAC");
  Bytes mac(DigestSize(hash));
  size_t size = 0;
  ossl::Check(EVP_MAC_final(context.get(), mac.data(), &size, mac.size()) == 1, "HMAC");
  return mac;
}

SecretBytes Kdfa(Hash hash, ByteView key, const char* label, ByteView context_u, ByteView context_v,
                 size_t size) {
  SecretBytes derived(size);
  const auto bits = BigEndian32(static_cast<uint32_t>(size * 8));
  uint32_t counter = 1;
  for (size_t done = 0; done < size; ++counter) {
    const SecretBytes block(
        Hmac(hash, key, {BigEndian32(counter), WithNul(label), context_u, context_v, bits}));
    const size_t take = std::min(block.size(), size - done);
    std::copy_n(block.view().begin(), take, derived.data() + done);
    done += take;
  }
  return derived;
}

void AesCfb(Direction direction, ByteView key, ByteView iv, std::span<uint8_t> data) {
  const ossl::CipherCtx context(EVP_CIPHER_CTX_new());
  int size = 0;
  ossl::Check(
      EVP_CipherInit_ex2(context.get(), ossl::Cipher(CipherFor(key.size())), key.data(), iv.data(),
                         direction == Direction::Encrypt ? 1 : 0, nullptr) == 1 &&
          EVP_CipherUpdate(context.get(), data.data(), &size, data.data(),
                           static_cast<int>(data.size())) == 1,
      "AES-CFB");
}

}  // namespace keyscope::tpm::tss
