#include "token/crypto/block_function.h"

#include <algorithm>
#include <cstring>

namespace keyscope::crypto {

void BlockFunction::Run(AesMode mode, Bytes iv, ByteView in, uint8_t* out) const noexcept {
  try {
    if (error_ == nullptr) {
      const SecretBytes done = aes_.Run(mode, direction_, iv, in);
      std::memcpy(out, done.view().data(), in.size());
      return;
    }
  } catch (...) {
    error_ = std::current_exception();
  }
  std::memset(out, 0, in.size());
}

void BlockFunction::Block(const uint8_t* in, uint8_t* out, const void* self) noexcept {
  static_cast<const BlockFunction*>(self)->Run(AesMode::Ecb, {}, {in, kAesBlock}, out);
}

// GCM counts on the last 32 bits (SP 800-38D, section 6.2), where CTR goes on into the others.
void BlockFunction::Counter(const uint8_t* in, uint8_t* out, size_t blocks, const void* self,
                            const uint8_t* iv) noexcept {
  uint8_t counter[kAesBlock];
  std::memcpy(counter, iv, sizeof counter);
  uint32_t low = 0;
  for (size_t i = 12; i < kAesBlock; ++i) low = low << 8 | iv[i];
  const uint64_t until_zero = (uint64_t{1} << 32) - low;
  const size_t first = std::min<uint64_t>(blocks, until_zero) * kAesBlock;
  const auto& function = *static_cast<const BlockFunction*>(self);
  function.Run(AesMode::Ctr, Copy(counter), {in, first}, out);
  if (first == blocks * kAesBlock) return;
  std::memset(counter + 12, 0, 4);
  function.Run(AesMode::Ctr, Copy(counter), {in + first, blocks * kAesBlock - first}, out + first);
}

}  // namespace keyscope::crypto
