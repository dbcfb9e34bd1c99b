// What a caller hands in and where results go. Every pointer and length is hostile until checked
// here.
#pragma once

#include <cstring>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/error.h"
#include "p11/cryptoki.h"

namespace keyscope::token {

using Template = std::span<const CK_ATTRIBUTE>;

// The largest length that is believed. More is a wrapped or invented number, whatever the pointer.
inline constexpr CK_ULONG kMaxLength = CK_ULONG{1} << 30;

// A caller's input buffer. view() throws CKR_ARGUMENTS_BAD for NULL with a length, or an absurd
// length.
struct Input {
  const void* data;
  CK_ULONG size;

  ByteView view() const {
    if ((data == nullptr && size != 0) || size > kMaxLength)
      throw Error(Rv{CKR_ARGUMENTS_BAD}, "a NULL pointer with a length, or an absurd length");
    return {static_cast<const uint8_t*>(data), size};
  }
};

// A caller's output buffer (section 5.2): data NULL asks for the size only.
struct Output {
  CK_BYTE_PTR data;
  CK_ULONG_PTR size;

  void Check() const {
    if (size == nullptr)
      throw Error(Rv{CKR_ARGUMENTS_BAD}, "no place for the length of the result");
  }
  // Nullopt: there is room for `bound` bytes, and none needs no room. Else the buffer's size was
  // asked for or is too small, and the code says so.
  std::optional<CK_RV> Lacks(size_t bound) const {
    Check();
    if (bound == 0 || (data != nullptr && *size >= bound)) return std::nullopt;
    *size = static_cast<CK_ULONG>(bound);
    return data == nullptr ? CKR_OK : CKR_BUFFER_TOO_SMALL;
  }
  // Writes the length and, when there is room, the result. False: the buffer is too short.
  bool Put(ByteView result) const {
    const bool fits = data == nullptr || *size >= result.size();
    *size = static_cast<CK_ULONG>(result.size());
    if (fits && data != nullptr && !result.empty()) std::memcpy(data, result.data(), result.size());
    return fits;
  }
};

}  // namespace keyscope::token
