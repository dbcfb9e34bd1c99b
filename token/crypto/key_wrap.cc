#include "token/crypto/key_wrap.h"

#include <string>

#include "token/crypto/check.h"
#include "token/crypto/cipher.h"

namespace keyscope::crypto {
namespace {

constexpr size_t kHalfBlock = 8;
constexpr size_t kMaxData = size_t{1} << 30;

// One shot of OpenSSL's wrapping ciphers, which write at most two half blocks more than they read.
std::optional<SecretBytes> Run(WrapKind kind, Direction direction, ByteView key, ByteView iv,
                               ByteView data) {
  const size_t iv_size = WrapIvSize(kind);
  if (!IsAesKeySize(key.size()) || (!iv.empty() && iv.size() != iv_size) || data.size() > kMaxData)
    return std::nullopt;
  const std::string name =
      "AES-" + std::to_string(key.size() * 8) + (kind == WrapKind::Plain ? "-WRAP" : "-WRAP-PAD");
  ossl::CipherCtx context(EVP_CIPHER_CTX_new());
  Check(context != nullptr, "EVP_CIPHER_CTX_new");
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Check(EVP_CipherInit_ex2(context.get(), ossl::Cipher(name.c_str()), key.data(),
                           iv.empty() ? nullptr : iv.data(),
                           direction == Direction::Encrypt ? 1 : 0, nullptr) == 1,
        "EVP_CipherInit_ex2");

  const QuietErrors quiet;
  SecretBytes output(data.size() + 2 * kHalfBlock);
  int written = 0;
  if (EVP_CipherUpdate(context.get(), output.data(), &written, data.data(),
                       static_cast<int>(data.size())) != 1 ||
      written <= 0)
    return std::nullopt;
  return SecretBytes(output.view().first(static_cast<size_t>(written)));
}

bool WholeHalfBlocks(size_t size, size_t at_least) {
  return size % kHalfBlock == 0 && size >= at_least * kHalfBlock;
}

}  // namespace

std::optional<Bytes> WrapAes(WrapKind kind, ByteView key, ByteView iv, ByteView data) {
  if (kind == WrapKind::Plain ? !WholeHalfBlocks(data.size(), 2) : data.empty())
    return std::nullopt;
  auto wrapped = Run(kind, Direction::Encrypt, key, iv, data);
  if (!wrapped) return std::nullopt;
  return Copy(wrapped->view());
}

std::optional<SecretBytes> UnwrapAes(WrapKind kind, ByteView key, ByteView iv, ByteView wrapped) {
  if (!WholeHalfBlocks(wrapped.size(), kind == WrapKind::Plain ? 3 : 2)) return std::nullopt;
  return Run(kind, Direction::Decrypt, key, iv, wrapped);
}

}  // namespace keyscope::crypto
