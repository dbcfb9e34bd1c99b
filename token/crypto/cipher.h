// AES in host memory, streaming: the modes of NIST SP 800-38A and SP 800-38D.
#pragma once

#include <optional>

#include "base/ossl.h"
#include "base/secret.h"

namespace keyscope::crypto {

inline constexpr size_t kAesBlock = 16;
bool IsAesKeySize(size_t size);  // 16, 24 or 32 bytes

enum class CipherMode : uint8_t { Ecb, Cbc, CbcPad, Ctr, Cfb128, Ofb, Gcm };
enum class Direction : uint8_t { Decrypt, Encrypt };

struct CipherParams {
  ByteView iv = {};             // a block; none for ECB; 1 to 128 bytes for GCM
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
  // nullopt: no AES key, or parameters that the mode does not take.
  static std::optional<Cipher> Start(CipherMode mode, Direction direction, ByteView key,
                                     const CipherParams& params);

  // Exactly what Update would give for `input` more bytes.
  size_t UpdateSize(size_t input) const;
  // What Final would give at most after `input` more bytes; exact but when a padding is taken off.
  size_t FinalSize(size_t input = 0) const;

  // GCM decryption gives nothing before Final has checked the tag.
  CipherResult Update(ByteView input);
  CipherResult Final();  // once

 private:
  Cipher(CipherMode mode, Direction direction, ossl::CipherCtx context, const CipherParams& params);

  bool Holds() const { return mode_ == CipherMode::Gcm && direction_ == Direction::Decrypt; }
  CipherResult Run(ByteView input);
  CipherResult FinalBlock();
  CipherResult FinalTag();
  CipherResult FinalHeld();

  CipherMode mode_;
  Direction direction_;
  ossl::CipherCtx context_;
  size_t tag_size_;
  uint64_t total_ = 0;  // bytes put in so far
  uint64_t most_;       // bytes that may be put in
  Bytes held_;          // the ciphertext of GCM decryption, its tag at the end
};

}  // namespace keyscope::crypto
