#include "token/attribute_set.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/secret.h"
#include "token/attribute_rules.h"

namespace keyscope::token {
namespace {

constexpr size_t kStoredUlong = 8, kStoredHead = 8;
constexpr size_t kMostWidened = kStoredUlong / sizeof(CK_ULONG);

void PutNumber(Bytes& to, uint64_t number, size_t size) {
  while (size-- > 0) to.push_back(static_cast<uint8_t>(number >> (8 * size)));
}

uint64_t TakeNumber(ByteView& from, size_t size) {
  if (from.size() < size) throw Error(Fault::Corrupt, "a stored attribute set is cut short");
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) number = number << 8 | from[i];
  from = from.subspan(size);
  return number;
}

// A run of CK_ULONGs (one, or a mechanism list) to a run of 8-byte integers, and back.
Bytes WidenUlongs(ByteView native) {
  Bytes wide;
  for (size_t at = 0; at + sizeof(CK_ULONG) <= native.size(); at += sizeof(CK_ULONG)) {
    CK_ULONG number;
    std::memcpy(&number, native.data() + at, sizeof number);
    PutNumber(wide, number == CK_UNAVAILABLE_INFORMATION ? ~uint64_t{0} : number, kStoredUlong);
  }
  return wide;
}

Bytes NarrowUlongs(ByteView wide) {
  if (wide.size() % kStoredUlong != 0)
    throw Error(Fault::Corrupt, "a stored number has a wrong size");
  Bytes native;
  while (!wide.empty()) {
    // What an 8-byte CK_ULONG wrote and a 4-byte one cannot tell is CK_UNAVAILABLE_INFORMATION,
    // which is also what the stored -1 is.
    const auto number = static_cast<CK_ULONG>(
        std::min<uint64_t>(TakeNumber(wide, kStoredUlong), CK_UNAVAILABLE_INFORMATION));
    Append(native, {reinterpret_cast<const uint8_t*>(&number), sizeof number});
  }
  return native;
}

bool IsNumeric(CK_ATTRIBUTE_TYPE type) {
  const AttributeRule* rule = FindRule(type);
  return rule != nullptr &&
         (rule->value == ValueKind::Ulong || rule->value == ValueKind::MechanismList);
}

}  // namespace

AttributeSet::~AttributeSet() {
  for (auto& [type, value] : values_) Wipe(value.data(), value.size());
}

ByteView AttributeSet::Get(CK_ATTRIBUTE_TYPE type) const {
  auto found = values_.find(type);
  return found == values_.end() ? ByteView{} : ByteView(found->second);
}

bool AttributeSet::Bool(CK_ATTRIBUTE_TYPE type) const {
  ByteView value = Get(type);
  return value.size() == sizeof(CK_BBOOL) && value[0] != CK_FALSE;
}

std::optional<CK_ULONG> AttributeSet::Ulong(CK_ATTRIBUTE_TYPE type) const {
  ByteView value = Get(type);
  CK_ULONG number;
  if (value.size() != sizeof number) return std::nullopt;
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

void AttributeSet::Set(CK_ATTRIBUTE_TYPE type, ByteView value) {
  Bytes& place = values_[type];
  Wipe(place.data(), place.size());
  place = Copy(value);
}

void AttributeSet::SetBool(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
  Set(type, {&byte, 1});
}

void AttributeSet::SetUlong(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  Set(type, {reinterpret_cast<const uint8_t*>(&value), sizeof value});
}

void AttributeSet::SetDefault(CK_ATTRIBUTE_TYPE type, ByteView value) {
  if (!Has(type)) Set(type, value);
}

void AttributeSet::Erase(CK_ATTRIBUTE_TYPE type) {
  auto found = values_.find(type);
  if (found == values_.end()) return;
  Wipe(found->second.data(), found->second.size());
  values_.erase(found);
}

Bytes Encode(const AttributeSet& attributes) {
  // At its full size from the start: bytes that grow leave copies of secrets behind.
  size_t room = 0;
  for (const auto& [type, native] : attributes) room += kStoredHead + native.size() * kMostWidened;
  Bytes encoded;
  encoded.reserve(room);
  for (const auto& [type, native] : attributes) {
    const Bytes wide = IsNumeric(type) ? WidenUlongs(native) : Bytes();
    const ByteView value = IsNumeric(type) ? ByteView(wide) : native;
    PutNumber(encoded, type, 4);
    PutNumber(encoded, value.size(), 4);
    Append(encoded, value);
  }
  return encoded;
}

AttributeSet Decode(ByteView encoded) {
  AttributeSet attributes;
  while (!encoded.empty()) {
    const auto type = static_cast<CK_ATTRIBUTE_TYPE>(TakeNumber(encoded, 4));
    const uint64_t size = TakeNumber(encoded, 4);
    if (size > encoded.size()) throw Error(Fault::Corrupt, "a stored attribute set is cut short");
    ByteView value = encoded.first(size);
    encoded = encoded.subspan(size);
    if (IsNumeric(type)) {
      attributes.Set(type, NarrowUlongs(value));
    } else {
      attributes.Set(type, value);
    }
  }
  return attributes;
}

}  // namespace keyscope::token
