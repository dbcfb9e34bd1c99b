// Reads big-endian structures, such as the TPM's: no pointer leaves the bytes that were given.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "base/bytes.h"

namespace keyscope::test {

// Throws std::runtime_error for what is too short.
class ByteReader {
 public:
  explicit ByteReader(ByteView data) : data_(data) {}

  Bytes Take(size_t size) {
    if (size > data_.size()) throw std::runtime_error("too short");
    Bytes taken = Copy(data_.first(size));
    data_ = data_.subspan(size);
    return taken;
  }
  uint32_t Number(size_t size) {
    uint32_t number = 0;
    for (uint8_t byte : Take(size)) number = number << 8 | byte;
    return number;
  }
  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }
  Bytes Sized() { return Take(U16()); }  // a TPM2B
  void End() const {
    if (!data_.empty()) throw std::runtime_error("too long");
  }

 private:
  ByteView data_;
};

}  // namespace keyscope::test
