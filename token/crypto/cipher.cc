#include "token/crypto/cipher.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "token/crypto/check.h"

namespace keyscope::crypto {
namespace {

struct ModeInfo {
  CipherMode mode;
  const char* ossl_suffix;
  size_t min_iv, max_iv;
  bool whole_blocks;
};
constexpr std::array<ModeInfo, 7> kModes = {{
    {CipherMode::Ecb, "ECB", 0, 0, true},
    {CipherMode::Cbc, "CBC", kAesBlock, kAesBlock, true},
    {CipherMode::CbcPad, "CBC", kAesBlock, kAesBlock, true},
    {CipherMode::Ctr, "CTR", kAesBlock, kAesBlock, false},
    {CipherMode::Cfb128, "CFB", kAesBlock, kAesBlock, false},
    {CipherMode::Ofb, "OFB", kAesBlock, kAesBlock, false},
    {CipherMode::Gcm, "GCM", 1, 128, false},
}};
constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

const ModeInfo& InfoOf(CipherMode mode) { return kModes.at(static_cast<size_t>(mode)); }

bool Acceptable(CipherMode mode, const CipherParams& params) {
  const ModeInfo& info = InfoOf(mode);
  return params.iv.size() >= info.min_iv && params.iv.size() <= info.max_iv &&
         params.counter_bits >= 1 && params.counter_bits <= 128 && params.tag_size >= 4 &&
         params.tag_size <= 16;
}

// OpenSSL counts on all 128 bits. Fewer bits give the same stream up to where they would start
// again from zero, and nobody wants to go there: the stream would repeat.
uint64_t BytesUntilCounterRepeats(const CipherParams& params) {
  if (params.counter_bits == 128) return kNoLimit;
  unsigned __int128 counter = 0;
  for (uint8_t byte : params.iv) counter = counter << 8 | byte;
  const unsigned __int128 blocks = static_cast<unsigned __int128>(1) << params.counter_bits;
  const unsigned __int128 left = blocks - (counter & (blocks - 1));
  return left > kNoLimit / kAesBlock ? kNoLimit : static_cast<uint64_t>(left) * kAesBlock;
}

}  // namespace

bool IsAesKeySize(size_t size) { return size == 16 || size == 24 || size == 32; }

std::optional<Cipher> Cipher::Start(CipherMode mode, Direction direction, ByteView key,
                                    const CipherParams& params) {
  if (!IsAesKeySize(key.size()) || !Acceptable(mode, params)) return std::nullopt;
  const std::string name = "AES-" + std::to_string(key.size() * 8) + "-" + InfoOf(mode).ossl_suffix;
  ossl::CipherCtx context(EVP_CIPHER_CTX_new());
  const int encrypt = direction == Direction::Encrypt ? 1 : 0;
  Check(context != nullptr && EVP_CipherInit_ex2(context.get(), ossl::Cipher(name.c_str()), nullptr,
                                                 nullptr, encrypt, nullptr) == 1,
        "EVP_CipherInit_ex2");
  if (mode == CipherMode::Gcm)
    Check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN,
                              static_cast<int>(params.iv.size()), nullptr) == 1,
          "EVP_CTRL_AEAD_SET_IVLEN");
  Check(EVP_CipherInit_ex2(context.get(), nullptr, key.data(), params.iv.data(), encrypt,
                           nullptr) == 1,
        "EVP_CipherInit_ex2");
  EVP_CIPHER_CTX_set_padding(context.get(), mode == CipherMode::CbcPad ? 1 : 0);
  int ignored = 0;
  if (mode == CipherMode::Gcm && !params.aad.empty())
    Check(EVP_CipherUpdate(context.get(), nullptr, &ignored, params.aad.data(),
                           static_cast<int>(params.aad.size())) == 1,
          "EVP_CipherUpdate");
  return Cipher(mode, direction, std::move(context), params);
}

Cipher::Cipher(CipherMode mode, Direction direction, ossl::CipherCtx context,
               const CipherParams& params)
    : mode_(mode),
      direction_(direction),
      context_(std::move(context)),
      tag_size_(params.tag_size),
      most_(mode == CipherMode::Ctr ? BytesUntilCounterRepeats(params) : kNoLimit) {}

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

CipherResult Cipher::Update(ByteView input) {
  if (input.size() > most_ - total_) return {CipherStatus::DataLenRange, {}};
  if (input.empty()) return {};
  if (Holds()) {
    Append(held_, input);
    return {};
  }
  return Run(input);
}

CipherResult Cipher::Run(ByteView input) {
  SecretBytes output(UpdateSize(input.size()));
  uint8_t unused = 0;  // OpenSSL takes no null pointer where nothing is to be written
  int written = 0;
  Check(EVP_CipherUpdate(context_.get(), output.empty() ? &unused : output.data(), &written,
                         input.data(), static_cast<int>(input.size())) == 1,
        "EVP_CipherUpdate");
  total_ += input.size();
  return {CipherStatus::Ok, std::move(output)};
}

CipherResult Cipher::Final() {
  if (mode_ == CipherMode::Gcm) return Holds() ? FinalHeld() : FinalTag();
  const bool pads = mode_ == CipherMode::CbcPad && direction_ == Direction::Encrypt;
  if (InfoOf(mode_).whole_blocks && !pads && total_ % kAesBlock != 0)
    return {CipherStatus::DataLenRange, {}};
  if (mode_ == CipherMode::CbcPad && !pads && total_ == 0) return {CipherStatus::DataLenRange, {}};
  return FinalBlock();
}

CipherResult Cipher::FinalBlock() {
  const QuietErrors quiet;
  SecretBytes block(kAesBlock);
  int written = 0;
  if (EVP_CipherFinal_ex(context_.get(), block.data(), &written) != 1)
    return {CipherStatus::Invalid, {}};
  return {CipherStatus::Ok, SecretBytes(block.view().first(static_cast<size_t>(written)))};
}

CipherResult Cipher::FinalTag() {
  SecretBytes tag(tag_size_);
  int ignored = 0;
  uint8_t unused = 0;
  Check(EVP_CipherFinal_ex(context_.get(), &unused, &ignored) == 1 &&
            EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_size_),
                                tag.data()) == 1,
        "EVP_CTRL_AEAD_GET_TAG");
  return {CipherStatus::Ok, std::move(tag)};
}

CipherResult Cipher::FinalHeld() {
  if (held_.size() < tag_size_) return {CipherStatus::DataLenRange, {}};
  auto tag = std::span(held_).last(tag_size_);
  ByteView ciphertext = ByteView(held_).first(held_.size() - tag_size_);
  SecretBytes plaintext(ciphertext.size());
  uint8_t unused = 0;
  int ignored = 0;
  Check(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_size_),
                            tag.data()) == 1 &&
            (ciphertext.empty() ||
             EVP_CipherUpdate(context_.get(), plaintext.data(), &ignored, ciphertext.data(),
                              static_cast<int>(ciphertext.size())) == 1),
        "EVP_CipherUpdate");
  const QuietErrors quiet;
  if (EVP_CipherFinal_ex(context_.get(), &unused, &ignored) != 1)
    return {CipherStatus::Invalid, {}};
  return {CipherStatus::Ok, std::move(plaintext)};
}

}  // namespace keyscope::crypto
