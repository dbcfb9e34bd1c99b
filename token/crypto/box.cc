#include "token/crypto/box.h"

#include "base/error.h"
#include "base/ossl.h"
#include "token/crypto/cipher.h"
#include "token/crypto/mac.h"

namespace keyscope::crypto {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
constexpr size_t kKeySize = 32;

Cipher Start(Direction direction, const SecretBytes& key, ByteView nonce, ByteView aad) {
  if (key.size() != kKeySize) throw Error(Fault::Internal, "the key of a box has the wrong size");
  return *Cipher::Start(CipherMode::Gcm, direction, HostAes(key.view()),
                        {.iv = nonce, .aad = aad, .tag_size = kTagSize});
}

}  // namespace

Bytes SealBox(const SecretBytes& key, ByteView aad, ByteView plaintext) {
  const Bytes nonce = ossl::Random(kNonceSize);
  Cipher cipher = Start(Direction::Encrypt, key, nonce, aad);
  const CipherResult ciphertext = cipher.Update(plaintext);
  const CipherResult tag = cipher.Final();
  return Concat({{&kVersion, 1}, nonce, ciphertext.bytes.view(), tag.bytes.view()});
}

std::optional<SecretBytes> OpenBox(const SecretBytes& key, ByteView aad, ByteView box) {
  if (box.size() < 1 + kNonceSize + kTagSize || box[0] != kVersion) return std::nullopt;
  Cipher cipher = Start(Direction::Decrypt, key, box.subspan(1, kNonceSize), aad);
  cipher.Update(box.subspan(1 + kNonceSize));
  CipherResult result = cipher.Final();
  if (result.status != CipherStatus::Ok) return std::nullopt;
  return std::move(result.bytes);
}

SecretBytes HmacSha256(ByteView key, std::initializer_list<ByteView> parts) {
  return Hmac(tpm::Hash::Sha256, key, parts);
}

SecretBytes DeriveKey(const SecretBytes& token_secret, std::string_view purpose) {
  return HmacSha256(token_secret.view(), {AsBytes(purpose)});
}

}  // namespace keyscope::crypto
