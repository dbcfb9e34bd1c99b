// C_CreateObject from a TPM's key file (CKA_KEYSCOPE_TSS2_KEY).
#pragma once

#include "token/object.h"
#include "tpm/backend.h"

namespace keyscope::token {

class Token;

// Adds to a template with a key file what that says of the key: its type, its public half and what
// it cannot do. CKR_ATTRIBUTE_VALUE_INVALID for what is no key file, CKR_TEMPLATE_INCONSISTENT
// where the template says otherwise, CKR_TEMPLATE_INCOMPLETE without the authorization that the key
// has.
void ImplyFromKeyFile(AttributeSet& given, const tpm::Backend& backend);
// Puts the key into the token's care. CKR_ATTRIBUTE_VALUE_INVALID when this TPM does not take it,
// or CKA_KEYSCOPE_TSS2_AUTH is wrong.
void CompleteFromKeyFile(Object& object, Token& token);

}  // namespace keyscope::token
