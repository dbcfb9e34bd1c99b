// Templates: a caller's CK_ATTRIBUTE array, checked against the attribute rules (section 4.1 of the
// specification; the codes are those of sections 4.1.1 to 4.1.3).
#pragma once

#include "token/attribute_rules.h"
#include "token/attribute_set.h"
#include "token/io.h"

namespace keyscope::token {

enum class Purpose : uint8_t { Create, Generate, Unwrap, Derive };

// Pointers, sizes and value kinds. CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID,
// CKR_TEMPLATE_INCONSISTENT (one attribute with two values), CKR_ARGUMENTS_BAD.
AttributeSet ParseTemplate(Template attributes);

// A template for C_FindObjectsInit. Nullopt: it can match nothing (an unknown attribute, a value
// that no object can have). CKR_ARGUMENTS_BAD and CKR_ATTRIBUTE_VALUE_INVALID for bad pointers
// only; and what ParseTemplate throws of a template within it.
std::optional<AttributeSet> ParseSearch(Template attributes);

// CKR_TEMPLATE_INCONSISTENT when the last day comes before the first.
void CheckDates(const AttributeSet& attributes);
// Whether a new object of `kind` may be given these attributes, and has all that it needs.
// CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCOMPLETE.
void CheckNew(const AttributeSet& attributes, Kind kind, Purpose purpose, bool is_so);

// Whether an object may be changed like this: C_SetAttributeValue, or C_CopyObject (`copying`).
// CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_READ_ONLY.
void CheckChange(const AttributeSet& current, const AttributeSet& changes, Kind kind, bool copying,
                 bool is_so);

// Adds what the rules say of attributes that are not there.
void AddDefaults(AttributeSet& attributes, Kind kind);

// The kind that the template's CKA_CLASS and CKA_KEY_TYPE name. CKR_TEMPLATE_INCOMPLETE,
// CKR_ATTRIBUTE_VALUE_INVALID.
Kind KindOfTemplate(const AttributeSet& attributes);

}  // namespace keyscope::token
