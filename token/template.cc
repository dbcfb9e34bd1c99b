#include "token/template.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "base/secret.h"
#include "p11/keyscope.h"
#include "token/refuse.h"

namespace keyscope::token {
namespace {

constexpr size_t kLargestValue = size_t{1} << 20;
// A template within a template may hold one more, and no further: it may hold itself.
constexpr int kDeepest = 2;
constexpr size_t kMostNested = 64;

std::string NameOf(CK_ATTRIBUTE_TYPE type) {
  const AttributeRule* rule = FindRule(type);
  return rule != nullptr ? rule->name : "attribute " + std::to_string(type);
}

[[noreturn]] void RefuseAttribute(CK_RV rv, CK_ATTRIBUTE_TYPE type, const char* why,
                                  Where where = Where::Here()) {
  Refuse(rv, NameOf(type) + ": " + why, where);
}

// A CK_DATE, or none.
bool ValidDate(ByteView date) {
  if (date.size() != sizeof(CK_DATE)) return date.empty();
  const auto number = [&](size_t first, size_t size) {
    int value = 0;
    for (uint8_t digit : date.subspan(first, size)) value = value * 10 + (digit - '0');
    return value;
  };
  const auto is_digit = [](uint8_t c) { return c >= '0' && c <= '9'; };
  using namespace std::chrono;
  return std::ranges::all_of(date, is_digit) &&
         year_month_day(year(number(0, 4)), month(static_cast<unsigned>(number(4, 2))),
                        day(static_cast<unsigned>(number(6, 2))))
             .ok();
}

bool ValidValue(ValueKind kind, ByteView value) {
  switch (kind) {
    case ValueKind::Bool:
      return value.size() == sizeof(CK_BBOOL) && value[0] <= CK_TRUE;
    case ValueKind::Ulong:
      return value.size() == sizeof(CK_ULONG);
    case ValueKind::MechanismList:
      return value.size() % sizeof(CK_MECHANISM_TYPE) == 0;
    case ValueKind::Nested:
      return value.size() % sizeof(CK_ATTRIBUTE) == 0 &&
             value.size() / sizeof(CK_ATTRIBUTE) <= kMostNested;
    case ValueKind::Date:
      return ValidDate(value);
    case ValueKind::Bytes:
      return true;
  }
  return false;
}

ByteView ValueOf(const CK_ATTRIBUTE& attribute) {
  if (attribute.ulValueLen > kLargestValue)
    RefuseAttribute(CKR_ATTRIBUTE_VALUE_INVALID, attribute.type, "the length is absurd");
  if (attribute.pValue == nullptr && attribute.ulValueLen != 0)
    RefuseAttribute(CKR_ATTRIBUTE_VALUE_INVALID, attribute.type, "a NULL pointer with a length");
  return {static_cast<const uint8_t*>(attribute.pValue), attribute.ulValueLen};
}

Footnote Forbidden(Purpose purpose) {
  switch (purpose) {
    case Purpose::Create:
      return kNotAtCreate;
    case Purpose::Generate:
      return kNotAtGenerate;
    case Purpose::Unwrap:
    case Purpose::Derive:
      return kNotAtUnwrap;
  }
  return kNotAtCreate;
}

bool Required(const AttributeRule& rule, Purpose purpose) {
  switch (purpose) {
    case Purpose::Create:
      return rule.Has(kMustAtCreate);
    case Purpose::Generate:
      return rule.Has(kMustAtGenerate);
    case Purpose::Unwrap:
      return rule.Has(kMustAtUnwrap);
    case Purpose::Derive:
      return false;
  }
  return false;
}

bool IsTrue(ByteView value) { return value.size() == 1 && value[0] == CK_TRUE; }

const AttributeRule& RuleFor(CK_ATTRIBUTE_TYPE type, Kind kind, ByteView value, bool is_so) {
  const AttributeRule* rule = FindRule(type, kind);
  if (rule == nullptr)
    RefuseAttribute(CKR_ATTRIBUTE_TYPE_INVALID, type, "not an attribute of this object");
  if (rule->Has(kTrueBySoOnly) && !is_so && IsTrue(value))
    RefuseAttribute(CKR_ATTRIBUTE_READ_ONLY, type, "only the security officer sets it to true");
  return *rule;
}

AttributeSet Parse(Template attributes, int depth);

// A valid value as a set keeps it: a template encoded, all others as they are.
SecretBytes Kept(const AttributeRule& rule, ByteView value, int depth) {
  if (rule.value != ValueKind::Nested) return SecretBytes(value);
  if (depth == kDeepest)
    RefuseAttribute(CKR_ATTRIBUTE_VALUE_INVALID, rule.type, "templates too deep within each other");
  // A copy: the caller's array need not be aligned.
  std::vector<CK_ATTRIBUTE> nested(value.size() / sizeof(CK_ATTRIBUTE));
  if (!nested.empty()) std::memcpy(nested.data(), value.data(), value.size());
  return SecretBytes(Encode(Parse(nested, depth + 1)));
}

AttributeSet Parse(Template attributes, int depth) {
  AttributeSet parsed;
  for (const CK_ATTRIBUTE& attribute : attributes) {
    const AttributeRule* rule = FindRule(attribute.type);
    if (rule == nullptr) RefuseAttribute(CKR_ATTRIBUTE_TYPE_INVALID, attribute.type, "unknown");
    const ByteView given = ValueOf(attribute);
    if (!ValidValue(rule->value, given))
      RefuseAttribute(CKR_ATTRIBUTE_VALUE_INVALID, attribute.type,
                      "a value of the wrong size or kind");
    const SecretBytes value = Kept(*rule, given, depth);
    if (parsed.Has(attribute.type) && !Equal(parsed.Get(attribute.type), value.view()))
      RefuseAttribute(CKR_TEMPLATE_INCONSISTENT, attribute.type,
                      "given twice with different values");
    parsed.Set(attribute.type, value.view());
  }
  return parsed;
}

}  // namespace

AttributeSet ParseTemplate(Template attributes) { return Parse(attributes, 0); }

std::optional<AttributeSet> ParseSearch(Template attributes) {
  AttributeSet parsed;
  bool possible = true;
  for (const CK_ATTRIBUTE& attribute : attributes) {
    const AttributeRule* rule = FindRule(attribute.type);
    const ByteView given = ValueOf(attribute);
    if (rule == nullptr || !ValidValue(rule->value, given)) {
      possible = false;
      continue;
    }
    const SecretBytes value = Kept(*rule, given, 0);
    possible &= !parsed.Has(attribute.type) || Equal(parsed.Get(attribute.type), value.view());
    parsed.Set(attribute.type, value.view());
  }
  if (!possible) return std::nullopt;
  return parsed;
}

void CheckDates(const AttributeSet& attributes) {
  const ByteView start = attributes.Get(CKA_START_DATE), end = attributes.Get(CKA_END_DATE);
  if (!start.empty() && !end.empty() && std::ranges::lexicographical_compare(end, start))
    RefuseAttribute(CKR_TEMPLATE_INCONSISTENT, CKA_END_DATE, "is before CKA_START_DATE");
}

void CheckNew(const AttributeSet& attributes, Kind kind, Purpose purpose, bool is_so) {
  CheckDates(attributes);
  for (const auto& [type, value] : attributes)
    if (RuleFor(type, kind, value, is_so).Has(Forbidden(purpose)))
      RefuseAttribute(CKR_ATTRIBUTE_READ_ONLY, type, "may not be given here");
  const bool from_key_file = attributes.Has(CKA_KEYSCOPE_TSS2_KEY);  // has the private parts
  for (const AttributeRule& rule : AttributeRules())
    if ((rule.kinds & kind) != 0 && Required(rule, purpose) && !attributes.Has(rule.type) &&
        !(from_key_file && rule.Has(kSensitive)))
      RefuseAttribute(CKR_TEMPLATE_INCOMPLETE, rule.type, "must be given here");
}

void CheckChange(const AttributeSet& current, const AttributeSet& changes, Kind kind, bool copying,
                 bool is_so) {
  for (const auto& [type, value] : changes) {
    const AttributeRule& rule = RuleFor(type, kind, value, is_so);
    const bool same = current.Has(type) && Equal(current.Get(type), value);
    if (same && (copying || rule.Has(kModifiable))) continue;
    const bool allowed = rule.Has(kModifiable) || (copying && rule.Has(kAtCopy));
    if (!allowed) RefuseAttribute(CKR_ATTRIBUTE_READ_ONLY, type, "cannot be changed");
    const bool is_true = current.Bool(type);
    if ((rule.Has(kStickyTrue) && is_true) || (rule.Has(kStickyFalse) && !is_true))
      RefuseAttribute(CKR_ATTRIBUTE_READ_ONLY, type, "cannot be changed back");
  }
}

void AddDefaults(AttributeSet& attributes, Kind kind) {
  static constexpr CK_BBOOL kFalseByte = CK_FALSE, kTrueByte = CK_TRUE;
  static constexpr CK_ULONG kZero = 0, kUnavailable = CK_UNAVAILABLE_INFORMATION;
  auto bytes = [](const auto& value) {
    return ByteView(reinterpret_cast<const uint8_t*>(&value), sizeof value);
  };
  for (const AttributeRule& rule : AttributeRules()) {
    if ((rule.kinds & kind) == 0) continue;
    switch (rule.initial) {
      case Default::Absent:
        break;
      case Default::Empty:
        attributes.SetDefault(rule.type, {});
        break;
      case Default::False:
        attributes.SetDefault(rule.type, bytes(kFalseByte));
        break;
      case Default::True:
        attributes.SetDefault(rule.type, bytes(kTrueByte));
        break;
      case Default::Zero:
        attributes.SetDefault(rule.type, bytes(kZero));
        break;
      case Default::Unavailable:
        attributes.SetDefault(rule.type, bytes(kUnavailable));
        break;
    }
  }
}

Kind KindOfTemplate(const AttributeSet& attributes) {
  auto object_class = attributes.Ulong(CKA_CLASS);
  if (!object_class) RefuseAttribute(CKR_TEMPLATE_INCOMPLETE, CKA_CLASS, "must be given");
  const bool is_key = *object_class == CKO_PUBLIC_KEY || *object_class == CKO_PRIVATE_KEY ||
                      *object_class == CKO_SECRET_KEY;
  if (is_key && !attributes.Has(CKA_KEY_TYPE))
    RefuseAttribute(CKR_TEMPLATE_INCOMPLETE, CKA_KEY_TYPE, "must be given");
  auto kind = KindOf(*object_class, attributes.UlongOr(CKA_KEY_TYPE));
  if (!kind) {
    if (is_key) RefuseAttribute(CKR_ATTRIBUTE_VALUE_INVALID, CKA_KEY_TYPE, "no such key type here");
    RefuseAttribute(CKR_ATTRIBUTE_VALUE_INVALID, CKA_CLASS, "no such class here");
  }
  return *kind;
}

}  // namespace keyscope::token
