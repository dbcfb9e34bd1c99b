// AES, streaming: the modes of NIST SP 800-38A and SP 800-38D, with a key that may be anywhere.
#pragma once

#include <optional>

#include "token/crypto/aes.h"

namespace keyscope::crypto {

class Gcm;

enum class CipherMode : uint8_t { Ecb, Cbc, CbcPad, Ctr, Cfb128, Ofb, Gcm };

inline constexpr size_t kLongestGcmIv = 1 << 16;  // bytes

struct CipherParams {
  ByteView iv = {};             // a block; none for ECB; 1 to kLongestGcmIv bytes for GCM
  unsigned counter_bits = 128;  // CTR: 1 to 128
  ByteView aad = {};            // GCM
  size_t tag_size = 16;         // GCM: 4 to 16 bytes
};

enum class CipherStatus : uint8_t {
  Ok,
  DataLenRange,  // no whole number of blocks, shorter than the tag, or the counter would repeat
  Invalid,       // the padding or the tag is wrong
};
struct CipherResult {
  CipherStatus status = CipherStatus::Ok;
  SecretBytes bytes;
};

class Cipher {
 public:
  // nullopt: no key, or parameters that the mode does not take. Does not use the key yet.
  static std::optional<Cipher> Start(CipherMode mode, Direction direction, std::shared_ptr<Aes> key,
                                     const CipherParams& params);
  Cipher(Cipher&&) noexcept;
  Cipher& operator=(Cipher&&) noexcept;
  ~Cipher();

  // Exactly what Update would give for `input` more bytes.
  size_t UpdateSize(size_t input) const;
  // What Final would give at most after `input` more bytes; exact but when a padding is taken off.
  size_t FinalSize(size_t input = 0) const;

  // GCM decryption gives nothing before Final has checked the tag.
  CipherResult Update(ByteView input);
  CipherResult Final();  // once

 private:
  Cipher(CipherMode mode, Direction direction, std::shared_ptr<Aes> key,
         const CipherParams& params);

  bool Holds() const { return mode_ == CipherMode::Gcm && direction_ == Direction::Decrypt; }
  Gcm& gcm();
  SecretBytes RunBlocks(ByteView input, size_t size);
  SecretBytes RunStream(ByteView input);
  void RunBytes(size_t at, ByteView input, uint8_t* output);
  CipherResult FinalPadded();
  CipherResult FinalHeld();

  CipherMode mode_;
  Direction direction_;
  std::shared_ptr<Aes> key_;
  Bytes iv_, aad_;
  size_t tag_size_;
  uint64_t total_ = 0;     // bytes put in so far
  uint64_t most_;          // bytes that may be put in
  SecretBytes waiting_;    // ECB, CBC: what is no whole block yet, or perhaps the padded one
  SecretBytes keystream_;  // CTR, CFB, OFB: of the block that `total_` is in
  std::unique_ptr<Gcm> gcm_;
  Bytes held_;  // the ciphertext of GCM decryption, its tag at the end
};

}  // namespace keyscope::crypto
