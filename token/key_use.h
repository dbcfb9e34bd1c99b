// From a caller's key handle to what an operation is made of.
#pragma once

#include "token/mechanism_rules.h"
#include "token/token.h"

namespace keyscope::token {

// What a use asks of a key, and the codes with which a wrong one is refused.
struct KeyUse {
  CK_ATTRIBUTE_TYPE usage;  // CKA_SIGN, CKA_WRAP, ...
  CK_RV bad_handle = CKR_KEY_HANDLE_INVALID;
  CK_RV bad_type = CKR_KEY_TYPE_INCONSISTENT;
  bool in_one_call = false;  // between whose begin and end nobody can log in for the key
};

// The key, when it is of the mechanism's type and its attributes permit the use.
// CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_MECHANISM_INVALID (CKA_ALLOWED_MECHANISMS), and those of
// `use`.
std::shared_ptr<const Object> KeyFor(Token& token, CK_OBJECT_HANDLE handle,
                                     const MechanismRule& rule, const KeyUse& use);
// That the key's own attributes allow it.
void CheckUse(const Object& key, CK_ATTRIBUTE_TYPE usage, CK_MECHANISM_TYPE mechanism);
// A key object without more ado; `bad_handle` when it is none.
std::shared_ptr<const Object> KeyObject(Objects& objects, CK_OBJECT_HANDLE handle,
                                        CK_RV bad_handle);

// `object`: nullptr for a digest; must outlive the materials.
Materials MaterialsOf(Token& token, const MechanismRule& rule, const CK_MECHANISM& mechanism,
                      const Object* object);

}  // namespace keyscope::token
