// Reading an attribute of an object: what it holds, and what is worked out when asked.
#pragma once

#include "token/object.h"

namespace keyscope::token {

class Token;

// One attribute of C_GetAttributeValue (section 5.7.5), with its own code.
CK_RV ReadAttribute(const Object& object, Token& token, CK_ATTRIBUTE& attribute);

}  // namespace keyscope::token
