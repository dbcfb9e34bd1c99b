#include "token/crypto/der.h"

namespace keyscope::crypto::der {

// The whole value, and the content within it.
std::optional<std::pair<ByteView, ByteView>> Reader::Next(uint8_t tag) {
  if (!At(tag) || rest_.size() < 2) return std::nullopt;
  size_t header = 2;
  size_t length = rest_[1];
  if (length >= 0x80) {
    const size_t count = length & 0x7f;
    if (count == 0 || count > 4 || rest_.size() < 2 + count || rest_[2] == 0) return std::nullopt;
    length = 0;
    for (uint8_t byte : rest_.subspan(2, count)) length = length << 8 | byte;
    if (length < 0x80) return std::nullopt;
    header += count;
  }
  if (length > rest_.size() - header) return std::nullopt;
  ByteView whole = rest_.first(header + length);
  rest_ = rest_.subspan(whole.size());
  return {{whole, whole.subspan(header)}};
}

std::optional<ByteView> Reader::Content(uint8_t tag) {
  auto next = Next(tag);
  if (!next) return std::nullopt;
  return next->second;
}

std::optional<ByteView> Reader::Whole(uint8_t tag) {
  auto next = Next(tag);
  if (!next) return std::nullopt;
  return next->first;
}

std::optional<ByteView> Reader::Unsigned() {
  Reader ahead = *this;
  auto number = ahead.Content(kInteger);
  if (!number || number->empty() || (number->front() & 0x80) != 0) return std::nullopt;
  if (number->size() > 1 && number->front() == 0) {
    if (((*number)[1] & 0x80) == 0) return std::nullopt;  // not minimal
    number = number->subspan(1);
  }
  *this = ahead;
  return number;
}

std::optional<ByteView> Only(uint8_t tag, ByteView der) {
  Reader reader(der);
  auto content = reader.Content(tag);
  if (!reader.Done()) return std::nullopt;
  return content;
}

Bytes Write(uint8_t tag, std::initializer_list<ByteView> parts) {
  size_t size = 0;
  for (ByteView part : parts) size += part.size();
  Bytes der = {tag};
  if (size < 0x80) {
    der.push_back(static_cast<uint8_t>(size));
  } else {
    Bytes length;
    for (size_t left = size; left != 0; left >>= 8)
      length.insert(length.begin(), static_cast<uint8_t>(left));
    der.push_back(static_cast<uint8_t>(0x80 | length.size()));
    Append(der, length);
  }
  for (ByteView part : parts) Append(der, part);
  return der;
}

Bytes WriteUnsigned(ByteView number) {
  static constexpr uint8_t kZero[1] = {};
  Bytes stripped = StripLeadingZeros(number);
  return Write(kInteger, {(stripped[0] & 0x80) != 0 ? ByteView(kZero) : ByteView(), stripped});
}

}  // namespace keyscope::crypto::der
