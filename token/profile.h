// The profiles of PKCS#11 that the module meets, as objects (CKO_PROFILE; section 4.13).
#pragma once

#include <vector>

#include "token/object.h"

namespace keyscope::token {

// Read-only, of the token, and public. Only what holds whatever the token contains: the baseline
// and the extended provider, not the profiles of authentication and certificate tokens.
std::vector<Object> ProfileObjects(KeyScope scope);

}  // namespace keyscope::token
