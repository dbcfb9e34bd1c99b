#include "token/crypto/key_wrap.h"

#include <openssl/modes.h>

#include "token/crypto/block_function.h"
#include "token/crypto/check.h"

namespace keyscope::crypto {
namespace {

constexpr size_t kHalfBlock = 8;
constexpr size_t kMaxData = size_t{1} << 30;

// openssl/modes.h: all four have this shape, and write at most two half blocks more than they read.
using Function = size_t (*)(void*, const uint8_t*, uint8_t*, const uint8_t*, size_t, block128_f);

std::optional<SecretBytes> Run(Function function, WrapKind kind, Direction direction, Aes& key,
                               ByteView iv, ByteView data) {
  if ((!iv.empty() && iv.size() != WrapIvSize(kind)) || data.size() > kMaxData) return std::nullopt;
  BlockFunction block(key, direction);
  const QuietErrors quiet;
  SecretBytes output(data.size() + 2 * kHalfBlock);
  const size_t written = function(&block, iv.empty() ? nullptr : iv.data(), output.data(),
                                  data.data(), data.size(), BlockFunction::Block);
  block.Rethrow();
  if (written == 0) return std::nullopt;
  return SecretBytes(output.view().first(written));
}

bool WholeHalfBlocks(size_t size, size_t at_least) {
  return size % kHalfBlock == 0 && size >= at_least * kHalfBlock;
}

}  // namespace

std::optional<Bytes> WrapAes(WrapKind kind, Aes& key, ByteView iv, ByteView data) {
  if (kind == WrapKind::Plain ? !WholeHalfBlocks(data.size(), 2) : data.empty())
    return std::nullopt;
  auto wrapped = Run(kind == WrapKind::Plain ? CRYPTO_128_wrap : CRYPTO_128_wrap_pad, kind,
                     Direction::Encrypt, key, iv, data);
  if (!wrapped) return std::nullopt;
  return Copy(wrapped->view());
}

std::optional<SecretBytes> UnwrapAes(WrapKind kind, Aes& key, ByteView iv, ByteView wrapped) {
  if (!WholeHalfBlocks(wrapped.size(), kind == WrapKind::Plain ? 3 : 2)) return std::nullopt;
  return Run(kind == WrapKind::Plain ? CRYPTO_128_unwrap : CRYPTO_128_unwrap_pad, kind,
             Direction::Decrypt, key, iv, wrapped);
}

}  // namespace keyscope::crypto
