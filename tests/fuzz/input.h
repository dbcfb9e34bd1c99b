// The bytes of one fuzz run, taken from the front. When they are used up everything that is taken
// is zero or empty, so every input is a whole run.
#pragma once

#include <algorithm>
#include <deque>
#include <span>
#include <type_traits>

#include "base/bytes.h"

// What libFuzzer, or replay.cc, calls with each input.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace keyscope::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}

  bool Done() const { return rest_.empty(); }
  ByteView Rest() { return Take(rest_.size()); }
  ByteView Take(size_t size) {  // at most `size` bytes
    const ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  uint8_t Byte() {
    const ByteView one = Take(1);
    return one.empty() ? 0 : one[0];
  }
  bool OneIn(unsigned n) { return Byte() % n == 1; }
  // Small numbers, the edges of the integer types, and any number.
  uint64_t Number() {
    const uint8_t kind = Byte();
    if (kind < 0xE0) return kind;
    if (kind < 0xF0)
      return (kind & 1) != 0 ? ~uint64_t{0} - (kind >> 1 & 7) : uint64_t{1} << 4 * (kind & 15);
    uint64_t number = 0;
    for (uint8_t byte : Take(1 + (kind & 7))) number = number << 8 | byte;
    return number;
  }
  // A short string of bytes; rarely a long one.
  ByteView Chunk() {
    const size_t size = Byte();
    return Take(size == 0xFF ? 0xFF + 16 * size_t{Byte()} : size);
  }
  template <typename T, size_t n>
  const T& Pick(std::span<T, n> choices) {
    return choices[Byte() % choices.size()];
  }

 private:
  ByteView rest_;
};

// What a caller's pointers point to. Each block is an allocation of its own and of the exact size,
// so that AddressSanitizer sees the first byte read beyond it.
class Arena {
 public:
  Bytes& Keep(ByteView bytes) { return blocks_.emplace_back(bytes.begin(), bytes.end()); }
  Bytes& Room(size_t size) { return blocks_.emplace_back(size); }
  template <typename T>
  requires std::is_trivially_copyable_v<T> T& Keep(const T& value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    return *reinterpret_cast<T*>(Keep(ByteView(bytes, sizeof value)).data());
  }

 private:
  std::deque<Bytes> blocks_;
};

}  // namespace keyscope::fuzz
