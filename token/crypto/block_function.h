// An AES key as the block function that OpenSSL's modes of operation (openssl/modes.h) call back.
#pragma once

#include <exception>

#include "token/crypto/aes.h"

namespace keyscope::crypto {

// Its address is the `key` of OpenSSL's functions. Exceptions do not pass through OpenSSL: they are
// kept, and the result is zeros.
class BlockFunction {
 public:
  BlockFunction(Aes& aes, Direction direction) : aes_(aes), direction_(direction) {}
  BlockFunction(const BlockFunction&) = delete;
  BlockFunction& operator=(const BlockFunction&) = delete;

  // block128_f and ctr128_f.
  static void Block(const uint8_t* in, uint8_t* out, const void* self) noexcept;
  static void Counter(const uint8_t* in, uint8_t* out, size_t blocks, const void* self,
                      const uint8_t* iv) noexcept;
  // After each call of OpenSSL's.
  void Rethrow() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  void Run(AesMode mode, Bytes iv, ByteView in, uint8_t* out) const noexcept;

  Aes& aes_;
  const Direction direction_;
  mutable std::exception_ptr error_;
};

}  // namespace keyscope::crypto
