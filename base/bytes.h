// Byte strings: owned (Bytes) and borrowed (ByteView), and the few things done to them everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyscope {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsStringView(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::string AsString(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

inline void Append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
// At its full size from the start: bytes that grow leave copies of secrets behind.
inline Bytes Concat(std::initializer_list<ByteView> parts) {
  size_t size = 0;
  for (ByteView part : parts) size += part.size();
  Bytes all;
  all.reserve(size);
  for (ByteView part : parts) Append(all, part);
  return all;
}

bool Equal(ByteView a, ByteView b);

std::string Hex(ByteView bytes);  // lower case, no separators
// Nullopt unless `text` is what Hex gives.
std::optional<Bytes> FromHex(std::string_view text);

constexpr std::array<uint8_t, 4> BigEndian32(uint32_t number) {
  return {static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
          static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
}
// An unsigned big-endian number without its leading zeros (a single zero byte for zero).
Bytes StripLeadingZeros(ByteView number);
// The same number in exactly `size` bytes. The number must fit.
Bytes PadLeft(ByteView number, size_t size);

}  // namespace keyscope
