// What a neutral Fault means to a PKCS#11 caller where token/ knows nothing better. AuthFailed is
// CKR_PIN_INCORRECT at login only, and there token/ says so itself.
#pragma once

#include "base/error.h"
#include "p11/cryptoki.h"

namespace keyscope::token {

CK_RV ToRv(Fault fault);
CK_RV ToRv(const Error& error);  // its own CK_RV, or that of its Fault

}  // namespace keyscope::token
