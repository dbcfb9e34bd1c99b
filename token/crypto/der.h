// DER (X.690): a reader that accepts nothing but definite, minimal lengths, and a writer.
#pragma once

#include <initializer_list>
#include <optional>

#include "base/bytes.h"

namespace keyscope::crypto::der {

enum Tag : uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kNull = 0x05,
  kOid = 0x06,
  kPrintableString = 0x13,
  kSequence = 0x30,
};
// Context tag [n], constructed.
constexpr uint8_t Context(uint8_t n) { return 0xa0 | n; }

constexpr uint8_t ContextPrimitive(uint8_t n) { return 0x80 | n; }

// Reads values one after the other. A read that fails consumes nothing.
class Reader {
 public:
  explicit Reader(ByteView der) : rest_(der) {}

  bool Done() const { return rest_.empty(); }
  bool At(uint8_t tag) const { return !rest_.empty() && rest_[0] == tag; }
  std::optional<ByteView> Content(uint8_t tag);  // what is within the next value
  std::optional<ByteView> Whole(uint8_t tag);    // the next value with its tag and length
  std::optional<ByteView> Unsigned();            // a non-negative INTEGER without its sign byte

 private:
  std::optional<std::pair<ByteView, ByteView>> Next(uint8_t tag);

  ByteView rest_;
};

// The content of `der` when that is exactly one value of this tag.
std::optional<ByteView> Only(uint8_t tag, ByteView der);

Bytes Write(uint8_t tag, std::initializer_list<ByteView> parts);
Bytes WriteUnsigned(ByteView number);

}  // namespace keyscope::crypto::der
