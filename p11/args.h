// The arguments of C_ functions, parsed once. What a session must see itself to end an operation
// after a bad argument (Input, Output) goes to it unchecked.
#pragma once

#include <algorithm>
#include <span>

#include "base/error.h"
#include "token/io.h"

namespace keyscope::p11 {

// More attributes than any object has: what goes beyond is not a template.
inline constexpr CK_ULONG kMaxAttributes = 1024;

template <typename T>
T& Required(T* pointer) {
  if (pointer == nullptr) throw Error(Rv{CKR_ARGUMENTS_BAD}, "a required pointer is NULL");
  return *pointer;
}

inline std::span<CK_ATTRIBUTE> Attributes(CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if ((attributes == nullptr && count != 0) || count > kMaxAttributes)
    throw Error(Rv{CKR_ARGUMENTS_BAD}, "a NULL template with a length, or an absurd length");
  return {attributes, count};
}

// The rule for functions that return a list (section 5.2): NULL asks for the number of entries.
template <typename T>
CK_RV WriteList(std::span<const T> values, T* list, CK_ULONG* count) {
  CK_ULONG room = Required(count);
  *count = LengthOf(values);
  if (list == nullptr) return CKR_OK;
  if (room < values.size()) return CKR_BUFFER_TOO_SMALL;
  std::ranges::copy(values, list);
  return CKR_OK;
}

}  // namespace keyscope::p11
