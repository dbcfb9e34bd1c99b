// SecretBytes: bytes that are wiped when they go, cannot be copied by accident, cannot be printed
// and, up to 4096 of them, are not swapped or dumped (see locked_memory.h).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/locked_memory.h"

namespace keyscope {

// Overwrites memory in a way that the compiler does not remove.
void Wipe(void* data, size_t size);

class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(size_t size) : bytes_(size) {}
  explicit SecretBytes(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  explicit SecretBytes(Bytes&& bytes) : bytes_(bytes.begin(), bytes.end()) {
    Wipe(bytes.data(), bytes.size());
  }
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      Clear();
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { Clear(); }

  SecretBytes Clone() const { return SecretBytes(view()); }
  ByteView view() const { return bytes_; }
  uint8_t* data() { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  void Clear() {
    Wipe(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

 private:
  std::vector<uint8_t, LockedAllocator<uint8_t>> bytes_;
};

// Compares in a time that depends on the lengths only.
bool ConstantTimeEqual(ByteView a, ByteView b);

}  // namespace keyscope
