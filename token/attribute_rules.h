// The attribute rules: everything that the module knows about an attribute, one row each. The table
// drives template checks for create, generate, unwrap, derive, copy and set, reads, defaults, the
// store codec, the search index and log names. It is closed: what is not in it is
// CKR_ATTRIBUTE_TYPE_INVALID.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "p11/cryptoki.h"

namespace keyscope::token {

// Nested: an array of CK_ATTRIBUTE; an AttributeSet keeps it encoded.
enum class ValueKind : uint8_t { Bool, Ulong, Bytes, Date, MechanismList, Nested };

// What an object is, as a bit: its class and, for keys, its key type.
enum Kind : uint16_t {
  kData = 1,
  kCertificate = 2,
  kRsaPublic = 4,
  kEcPublic = 8,
  kRsaPrivate = 16,
  kEcPrivate = 32,
  kAes = 64,
  kGeneric = 128,  // CKK_GENERIC_SECRET and the HMAC key types
  kProfile = 256,
  kPublic = kRsaPublic | kEcPublic,
  kPrivate = kRsaPrivate | kEcPrivate,
  kSecret = kAes | kGeneric,
  kKey = kPublic | kPrivate | kSecret,
  kAll = kData | kCertificate | kKey | kProfile,
};
// Nullopt: a class or key type that the module does not have.
std::optional<Kind> KindOf(CK_OBJECT_CLASS object_class, CK_KEY_TYPE key_type);
inline bool IsKey(Kind kind) { return (kind & kKey) != 0; }

// Notes 1 to 12 are the footnotes of the specification's attribute tables (version 3.0, table 10).
constexpr uint32_t Note(int n) { return uint32_t{1} << n; }
template <typename... N>
constexpr uint32_t Notes(N... n) {
  return (uint32_t{0} | ... | Note(n));
}
enum Footnote : int {
  kMustAtCreate = 1,
  kNotAtCreate = 2,
  kMustAtGenerate = 3,
  kNotAtGenerate = 4,
  kMustAtUnwrap = 5,
  kNotAtUnwrap = 6,
  kSensitive = 7,     // not revealed when CKA_SENSITIVE or not CKA_EXTRACTABLE
  kModifiable = 8,    // with C_SetAttributeValue and C_CopyObject
  kTokenDefault = 9,  // the default is the token's choice
  kTrueBySoOnly = 10,
  kStickyTrue = 11,   // read-only once true
  kStickyFalse = 12,  // read-only once false
  // The module's own:
  kAtCopy = 13,   // may be chosen in C_CopyObject only
  kIndexed = 14,  // found through the store's index
};

enum class Default : uint8_t { Absent, Empty, False, True, Zero, Unavailable };

struct AttributeRule {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
  ValueKind value;
  uint16_t kinds;
  uint32_t notes;
  Default initial;

  constexpr bool Has(Footnote note) const { return (notes & Note(note)) != 0; }
};

std::span<const AttributeRule> AttributeRules();
// The rule for an attribute of any kind of object (its value kind is the same for all); nullptr:
// unknown.
const AttributeRule* FindRule(CK_ATTRIBUTE_TYPE type);
// The rule for an attribute of this kind of object; nullptr: not an attribute of it.
const AttributeRule* FindRule(CK_ATTRIBUTE_TYPE type, Kind kind);

}  // namespace keyscope::token
