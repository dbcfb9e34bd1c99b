// Calls of the module that have to succeed, for tests on both platforms.
#pragma once

#include "base/bytes.h"
#include "p11/cryptoki.h"

namespace keyscope::test {

// Throws std::runtime_error for what is not CKR_OK; the first tells what was called.
void Must(const char* what, CK_RV rv);
Bytes ReadAttribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

}  // namespace keyscope::test
