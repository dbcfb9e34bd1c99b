#include "token/read.h"

#include <cstring>

#include "p11/keyscope.h"
#include "token/mechanism_rules.h"
#include "token/secret_key.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

bool Revealed(const AttributeRule& rule, const Object& object) {
  if (!rule.Has(kSensitive)) return true;
  return (object.kind & kSecret) != 0 && !object.attributes.Bool(CKA_SENSITIVE) &&
         object.attributes.Bool(CKA_EXTRACTABLE);
}

// Attributes that are kept nowhere. Nullopt: this object has none such.
using Value = std::optional<SecretBytes>;

Value AllowedMechanisms(const Object& object, Token& token) {
  const auto types = MechanismsFor(object, *token.facts());
  const auto* first = reinterpret_cast<const uint8_t*>(types.data());
  return SecretBytes(ByteView(first, types.size() * sizeof types[0]));
}

Value SecretValue(const Object& object, Token& token) {
  return HostValue(*token.objects().KeyOf(object)).Clone();
}

Value TpmPublic(const Object& object, Token& token) {
  const auto blob = object.blob();
  if (!blob) return std::nullopt;
  return SecretBytes(token.backend().TpmtPublicOf(*blob));
}

Value TpmName(const Object& object, Token& token) {
  const auto blob = object.blob();
  if (!blob) return std::nullopt;
  return SecretBytes(token.backend().NameOf(*blob));
}

Value PolicyDigest(const Object& object, Token& token) {
  const auto blob = object.blob();
  if (!blob || !object.attributes.Has(CKA_KEYSCOPE_PCR_SELECTION)) return std::nullopt;
  return SecretBytes(token.backend().PolicyOf(*blob));
}

Value PersistentHandle(const Object& object, Token&) {
  if (!object.material || object.material->handle == 0) return std::nullopt;
  const auto handle = static_cast<CK_ULONG>(object.material->handle);
  return SecretBytes(ByteView(reinterpret_cast<const uint8_t*>(&handle), sizeof handle));
}

struct ComputedRow {
  CK_ATTRIBUTE_TYPE type;
  uint16_t kinds;
  Value (*value)(const Object&, Token&);
};
constexpr ComputedRow kComputed[] = {
    {CKA_ALLOWED_MECHANISMS, kKey, AllowedMechanisms},
    {CKA_VALUE, kSecret, SecretValue},
    {CKA_KEYSCOPE_TPM_PUBLIC, kPrivate, TpmPublic},
    {CKA_KEYSCOPE_TPM_NAME, kPrivate, TpmName},
    {CKA_KEYSCOPE_PERSISTENT_HANDLE, kPrivate, PersistentHandle},
    {CKA_KEYSCOPE_POLICY_DIGEST, kPrivate, PolicyDigest},
};

Value Compute(CK_ATTRIBUTE_TYPE type, const Object& object, Token& token) {
  for (const ComputedRow& row : kComputed)
    if (row.type == type && (row.kinds & object.kind) != 0) return row.value(object, token);
  return std::nullopt;
}

CK_RV Unavailable(CK_ATTRIBUTE& attribute, CK_RV rv) {
  attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
  return rv;
}

CK_RV WriteValue(ValueKind kind, ByteView value, CK_ATTRIBUTE& attribute);

// The types of a template are given, and the values for which there is room. The array that the
// caller made need not be aligned.
CK_RV WriteTemplate(const AttributeSet& held, CK_ATTRIBUTE& attribute) {
  CK_RV worst = CKR_OK;
  auto* place = static_cast<uint8_t*>(attribute.pValue);
  for (const auto& [type, value] : held) {
    CK_ATTRIBUTE element;
    std::memcpy(&element, place, sizeof element);
    element.type = type;
    const AttributeRule* rule = FindRule(type);  // none: a newer Keyscope's, or damage
    const CK_RV rv = WriteValue(rule == nullptr ? ValueKind::Bytes : rule->value, value, element);
    if (rv != CKR_OK) worst = rv;
    std::memcpy(place, &element, sizeof element);
    place += sizeof element;
  }
  return worst;
}

CK_RV WriteValue(ValueKind kind, ByteView value, CK_ATTRIBUTE& attribute) {
  std::optional<AttributeSet> held;
  if (kind == ValueKind::Nested) held = Decode(value);
  const size_t size = held ? held->size() * sizeof(CK_ATTRIBUTE) : value.size();
  const bool fits = attribute.ulValueLen >= size;
  const bool asks = attribute.pValue == nullptr;
  if (!asks && !fits) return Unavailable(attribute, CKR_BUFFER_TOO_SMALL);
  attribute.ulValueLen = static_cast<CK_ULONG>(size);
  if (asks || size == 0) return CKR_OK;
  if (held) return WriteTemplate(*held, attribute);
  std::memcpy(attribute.pValue, value.data(), size);
  return CKR_OK;
}

}  // namespace

CK_RV ReadAttribute(const Object& object, Token& token, CK_ATTRIBUTE& attribute) {
  const AttributeRule* rule = FindRule(attribute.type, object.kind);
  if (rule == nullptr) return Unavailable(attribute, CKR_ATTRIBUTE_TYPE_INVALID);
  if (!Revealed(*rule, object)) return Unavailable(attribute, CKR_ATTRIBUTE_SENSITIVE);

  ByteView value = object.attributes.Get(attribute.type);
  Value computed;
  if (!object.attributes.Has(attribute.type)) {
    try {
      computed = Compute(attribute.type, object, token);
    } catch (const Error& error) {  // others of the template may be read all the same
      const Rv* rv = std::get_if<Rv>(&error.cause());
      if (rv == nullptr || rv->value != CKR_USER_NOT_LOGGED_IN) throw;
      return Unavailable(attribute, CKR_ATTRIBUTE_SENSITIVE);
    }
    if (!computed) return Unavailable(attribute, CKR_ATTRIBUTE_TYPE_INVALID);
    value = computed->view();
  }
  return WriteValue(rule->value, value, attribute);
}

}  // namespace keyscope::token
