#include "base/bytes.h"

#include <algorithm>

namespace keyscope {

bool Equal(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

std::string Hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<Bytes> FromHex(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const size_t high = kDigits.find(text[i]), low = kDigits.find(text[i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return bytes;
}

Bytes StripLeadingZeros(ByteView number) {
  auto first = std::find_if(number.begin(), number.end(), [](uint8_t byte) { return byte != 0; });
  if (first == number.end()) return {0};
  return {first, number.end()};
}

Bytes PadLeft(ByteView number, size_t size) {
  Bytes padded(size, 0);
  while (number.size() > size) number = number.subspan(1);
  std::copy(number.begin(), number.end(), padded.end() - static_cast<ptrdiff_t>(number.size()));
  return padded;
}

}  // namespace keyscope
