#include "token/crypto/kdf.h"

#include <algorithm>
#include <array>

#include "token/crypto/hash.h"
#include "token/crypto/mac.h"

namespace keyscope::crypto {
namespace {

using tpm::Hash;

// `size` bytes from blocks of `block_size`, numbered from 1 to at most `max_blocks`.
// `block(counter, output)` computes one.
template <typename Block>
std::optional<SecretBytes> FromBlocks(size_t size, size_t block_size, uint64_t max_blocks,
                                      Block block) {
  if (size == 0 || (size - 1) / block_size >= max_blocks) return std::nullopt;
  SecretBytes output(size);
  uint32_t counter = 1;
  for (size_t done = 0; done < size; done += block_size, ++counter) {
    SecretBytes one = block(counter);
    std::copy_n(one.data(), std::min(block_size, size - done), output.data() + done);
  }
  return output;
}

}  // namespace

std::optional<SecretBytes> X963Kdf(Hash hash, ByteView shared_secret, ByteView shared_info,
                                   size_t size) {
  return FromBlocks(size, Info(hash).size(), UINT32_MAX, [&](uint32_t counter) {
    Digester digester(hash);
    digester.Update(shared_secret);
    digester.Update(BigEndian32(counter));
    digester.Update(shared_info);
    return digester.Final();
  });
}

SecretBytes HkdfExtract(Hash hash, ByteView salt, ByteView input) {
  // HMAC pads its key with zeros, so that no salt and a salt of zeros are the same.
  return Hmac(hash, salt, {input});
}

std::optional<SecretBytes> HkdfExpand(Hash hash, ByteView pseudorandom_key, ByteView info,
                                      size_t size) {
  SecretBytes previous;
  return FromBlocks(size, Info(hash).size(), 255, [&](uint32_t counter) {
    const uint8_t number[] = {static_cast<uint8_t>(counter)};
    previous = Hmac(hash, pseudorandom_key, {previous.view(), info, number});
    return previous.Clone();
  });
}

std::optional<SecretBytes> Derive(const CounterKdf& kdf, size_t size) {
  if (kdf.counter_bytes < 1 || kdf.counter_bytes > 4) return std::nullopt;
  const uint64_t max_blocks = (uint64_t{1} << (8 * kdf.counter_bytes)) - 1;
  return FromBlocks(size, kdf.prf()->size(), max_blocks, [&](uint32_t counter) {
    auto number = BigEndian32(counter);
    auto significant = std::span(number).last(kdf.counter_bytes);
    if (kdf.little_endian) std::ranges::reverse(significant);
    const auto mac = kdf.prf();
    mac->Update(kdf.before);
    mac->Update(significant);
    mac->Update(kdf.after);
    return mac->Final();
  });
}

}  // namespace keyscope::crypto
