#include "token/crypto/cmac.h"

#include <algorithm>

namespace keyscope::crypto {
namespace {

// Multiplication by x in GF(2^128) (section 6.1).
void Double(SecretBytes& block) {
  const uint8_t carry = block.data()[0] >> 7;
  for (size_t i = 0; i < kAesBlock; ++i) {
    const uint8_t next = i + 1 < kAesBlock ? block.data()[i + 1] >> 7 : 0;
    block.data()[i] = static_cast<uint8_t>(block.data()[i] << 1 | next);
  }
  block.data()[kAesBlock - 1] ^= static_cast<uint8_t>(carry * 0x87);
}

}  // namespace

void Cmac::Update(ByteView data) {
  const SecretBytes all(Concat({last_.view(), data}));
  const size_t before_last = all.empty() ? 0 : (all.size() - 1) / kAesBlock * kAesBlock;
  if (before_last != 0)
    aes_->Run(AesMode::Cbc, Direction::Encrypt, state_, all.view().first(before_last));
  last_ = SecretBytes(all.view().subspan(before_last));
}

SecretBytes Cmac::Final() {
  SecretBytes subkey = aes_->Encrypt(Bytes(kAesBlock));
  Double(subkey);
  SecretBytes block(kAesBlock);
  std::ranges::copy(last_.view(), block.data());
  if (last_.size() < kAesBlock) {
    Double(subkey);
    block.data()[last_.size()] = 0x80;
  }
  for (size_t i = 0; i < kAesBlock; ++i) block.data()[i] ^= subkey.view()[i];
  return aes_->Run(AesMode::Cbc, Direction::Encrypt, state_, block.view());
}

}  // namespace keyscope::crypto
