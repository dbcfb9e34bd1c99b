#include "token/crypto/cipher.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "token/crypto/gcm.h"

namespace keyscope::crypto {
namespace {

struct ModeInfo {
  CipherMode mode;
  AesMode basic;  // what it is made of
  size_t min_iv, max_iv;
  bool whole_blocks;
};
constexpr std::array<ModeInfo, 7> kModes = {{
    {CipherMode::Ecb, AesMode::Ecb, 0, 0, true},
    {CipherMode::Cbc, AesMode::Cbc, kAesBlock, kAesBlock, true},
    {CipherMode::CbcPad, AesMode::Cbc, kAesBlock, kAesBlock, true},
    {CipherMode::Ctr, AesMode::Ctr, kAesBlock, kAesBlock, false},
    {CipherMode::Cfb128, AesMode::Cfb128, kAesBlock, kAesBlock, false},
    {CipherMode::Ofb, AesMode::Ofb, kAesBlock, kAesBlock, false},
    {CipherMode::Gcm, AesMode::Ctr, 1, kLongestGcmIv, false},
}};
constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

const ModeInfo& InfoOf(CipherMode mode) { return kModes.at(static_cast<size_t>(mode)); }

bool Acceptable(CipherMode mode, const CipherParams& params) {
  const ModeInfo& info = InfoOf(mode);
  return params.iv.size() >= info.min_iv && params.iv.size() <= info.max_iv &&
         params.counter_bits >= 1 && params.counter_bits <= 128 && params.tag_size >= 4 &&
         params.tag_size <= 16;
}

// We count on all 128 bits. Fewer bits give the same stream up to where they would start
// again from zero, and nobody wants to go there: the stream would repeat.
uint64_t BytesUntilCounterRepeats(const CipherParams& params) {
  if (params.counter_bits == 128) return kNoLimit;
  unsigned __int128 counter = 0;
  for (uint8_t byte : params.iv) counter = counter << 8 | byte;
  const unsigned __int128 blocks = static_cast<unsigned __int128>(1) << params.counter_bits;
  const unsigned __int128 left = blocks - (counter & (blocks - 1));
  return left > kNoLimit / kAesBlock ? kNoLimit : static_cast<uint64_t>(left) * kAesBlock;
}

// What stands before a PKCS #7 padding (RFC 5652, section 6.3); nullopt: there is none. In a time
// that does not depend on the block.
std::optional<size_t> SizeWithoutPadding(ByteView block) {
  const unsigned padding = block.back();
  unsigned wrong = (padding == 0 ? 1U : 0U) | (padding > kAesBlock ? 1U : 0U);
  for (unsigned i = 0; i < kAesBlock; ++i) {
    const unsigned inside = i + padding >= kAesBlock ? 0xffU : 0U;
    wrong |= inside & (block[i] ^ padding);
  }
  if (wrong != 0) return std::nullopt;
  return kAesBlock - padding;
}

}  // namespace

std::optional<Cipher> Cipher::Start(CipherMode mode, Direction direction, std::shared_ptr<Aes> key,
                                    const CipherParams& params) {
  if (key == nullptr || !Acceptable(mode, params)) return std::nullopt;
  return Cipher(mode, direction, std::move(key), params);
}

Cipher::Cipher(CipherMode mode, Direction direction, std::shared_ptr<Aes> key,
               const CipherParams& params)
    : mode_(mode),
      direction_(direction),
      key_(std::move(key)),
      iv_(Copy(params.iv)),
      aad_(Copy(params.aad)),
      tag_size_(params.tag_size),
      most_(mode == CipherMode::Ctr ? BytesUntilCounterRepeats(params) : kNoLimit) {}

Cipher::Cipher(Cipher&&) noexcept = default;
Cipher& Cipher::operator=(Cipher&&) noexcept = default;
Cipher::~Cipher() = default;

size_t Cipher::UpdateSize(size_t input) const {
  if (Holds()) return 0;
  if (!InfoOf(mode_).whole_blocks) return input;
  // The last block of a padded ciphertext is kept until the end is known.
  const bool keeps_last = mode_ == CipherMode::CbcPad && direction_ == Direction::Decrypt;
  auto given_after = [keeps_last](uint64_t total) {
    return (keeps_last && total != 0 ? total - 1 : total) / kAesBlock * kAesBlock;
  };
  return given_after(total_ + input) - given_after(total_);
}

size_t Cipher::FinalSize(size_t input) const {
  if (mode_ == CipherMode::CbcPad) return kAesBlock - (direction_ == Direction::Decrypt ? 1 : 0);
  if (mode_ != CipherMode::Gcm) return 0;
  if (!Holds()) return tag_size_;
  const size_t total = held_.size() + input;
  return total - std::min(total, tag_size_);
}

Gcm& Cipher::gcm() {
  if (gcm_ == nullptr) gcm_ = std::make_unique<Gcm>(*key_, iv_, aad_);
  return *gcm_;
}

CipherResult Cipher::Update(ByteView input) {
  if (input.size() > most_ - total_) return {CipherStatus::DataLenRange, {}};
  if (input.empty()) return {};
  CipherResult result;
  if (Holds())
    Append(held_, input);
  else if (mode_ == CipherMode::Gcm)
    result.bytes = gcm().Run(direction_, input);
  else
    result.bytes =
        InfoOf(mode_).whole_blocks ? RunBlocks(input, UpdateSize(input.size())) : RunStream(input);
  total_ += input.size();
  return result;
}

// `size` bytes of what waits and of the input; the rest waits.
SecretBytes Cipher::RunBlocks(ByteView input, size_t size) {
  const SecretBytes all(Concat({waiting_.view(), input}));
  SecretBytes done = key_->Run(InfoOf(mode_).basic, direction_, iv_, all.view().first(size));
  waiting_ = SecretBytes(all.view().subspan(size));
  return done;
}

// Whole blocks are the key's, the bytes before and after them are ours.
SecretBytes Cipher::RunStream(ByteView input) {
  SecretBytes output(input.size());
  const size_t started = total_ % kAesBlock;
  const size_t before = started == 0 ? 0 : std::min(kAesBlock - started, input.size());
  RunBytes(started, input.first(before), output.data());
  input = input.subspan(before);
  const size_t whole = input.size() / kAesBlock * kAesBlock;
  if (whole != 0) {
    const SecretBytes blocks = key_->Run(InfoOf(mode_).basic, direction_, iv_, input.first(whole));
    std::ranges::copy(blocks.view(), output.data() + before);
  }
  input = input.subspan(whole);
  if (!input.empty()) {
    // Of a block of zeros every one of these modes makes its keystream.
    keystream_ = key_->Run(InfoOf(mode_).basic, Direction::Encrypt, iv_, Bytes(kAesBlock));
    RunBytes(0, input, output.data() + before + whole);
  }
  return output;
}

// From byte `at` on of the block that `keystream_` is for.
void Cipher::RunBytes(size_t at, ByteView input, uint8_t* output) {
  for (uint8_t byte : input) {
    const auto other = static_cast<uint8_t>(byte ^ keystream_.view()[at]);
    if (mode_ == CipherMode::Cfb128) iv_[at] = direction_ == Direction::Encrypt ? other : byte;
    *output++ = other;
    ++at;
  }
}

CipherResult Cipher::Final() {
  if (Holds()) return FinalHeld();
  if (mode_ == CipherMode::Gcm) return {CipherStatus::Ok, gcm().Tag(tag_size_)};
  const bool pads = mode_ == CipherMode::CbcPad && direction_ == Direction::Encrypt;
  if (InfoOf(mode_).whole_blocks && !pads && total_ % kAesBlock != 0)
    return {CipherStatus::DataLenRange, {}};
  if (mode_ == CipherMode::CbcPad) return FinalPadded();
  return {};
}

CipherResult Cipher::FinalPadded() {
  if (direction_ == Direction::Encrypt) {
    const size_t padding = kAesBlock - waiting_.size();
    return {CipherStatus::Ok, RunBlocks(Bytes(padding, static_cast<uint8_t>(padding)), kAesBlock)};
  }
  if (total_ == 0) return {CipherStatus::DataLenRange, {}};
  const SecretBytes block = RunBlocks({}, kAesBlock);
  const auto size = SizeWithoutPadding(block.view());
  if (!size) return {CipherStatus::Invalid, {}};
  return {CipherStatus::Ok, SecretBytes(block.view().first(*size))};
}

CipherResult Cipher::FinalHeld() {
  if (held_.size() < tag_size_) return {CipherStatus::DataLenRange, {}};
  const ByteView ciphertext = ByteView(held_).first(held_.size() - tag_size_);
  SecretBytes plaintext = gcm().Run(direction_, ciphertext);
  const SecretBytes tag = gcm().Tag(tag_size_);
  if (!ConstantTimeEqual(tag.view(), ByteView(held_).last(tag_size_)))
    return {CipherStatus::Invalid, {}};
  return {CipherStatus::Ok, std::move(plaintext)};
}

}  // namespace keyscope::crypto
