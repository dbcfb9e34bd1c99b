// AttributeSet: the attributes of one object, as parsed from a template or read from the store.
// Values are in PKCS#11's own form (CK_BBOOL, CK_ULONG, bytes); the codec makes them
// width-independent.
#pragma once

#include <map>
#include <optional>

#include "base/bytes.h"
#include "p11/cryptoki.h"

namespace keyscope::token {

class AttributeSet {
 public:
  AttributeSet() = default;
  AttributeSet(const AttributeSet&) = default;
  AttributeSet& operator=(const AttributeSet&) = delete;
  AttributeSet(AttributeSet&&) = default;
  AttributeSet& operator=(AttributeSet&& other) noexcept {
    values_.swap(other.values_);
    return *this;
  }
  ~AttributeSet();  // wipes the values: some are secret

  bool Has(CK_ATTRIBUTE_TYPE type) const { return values_.contains(type); }
  // Empty when absent.
  ByteView Get(CK_ATTRIBUTE_TYPE type) const;
  bool Bool(CK_ATTRIBUTE_TYPE type) const;  // false when absent
  std::optional<CK_ULONG> Ulong(CK_ATTRIBUTE_TYPE type) const;
  // CK_UNAVAILABLE_INFORMATION when absent.
  CK_ULONG UlongOr(CK_ATTRIBUTE_TYPE type) const {
    return Ulong(type).value_or(CK_UNAVAILABLE_INFORMATION);
  }

  void Set(CK_ATTRIBUTE_TYPE type, ByteView value);
  void SetBool(CK_ATTRIBUTE_TYPE type, bool value);
  void SetUlong(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  // Set, unless the attribute is there.
  void SetDefault(CK_ATTRIBUTE_TYPE type, ByteView value);
  void Erase(CK_ATTRIBUTE_TYPE type);

  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  size_t size() const { return values_.size(); }

 private:
  std::map<CK_ATTRIBUTE_TYPE, Bytes> values_;
};

// The stored form: per attribute its type (4 bytes), the length (4 bytes) and the value; CK_ULONGs
// as 8 bytes with -1 for CK_UNAVAILABLE_INFORMATION; all big-endian, so that a store moves between
// machines.
Bytes Encode(const AttributeSet& attributes);
// Throws Fault::Corrupt for what Encode cannot have written.
AttributeSet Decode(ByteView encoded);

}  // namespace keyscope::token
