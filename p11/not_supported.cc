// The functions that the module does not have: every function of the header's list is defined here,
// weakly, so that the ones with a body elsewhere win and none can be forgotten. Arguments are not
// looked at, so one function serves all signatures.
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;

extern "C" CK_RV KeyscopeNotSupported() {
  return Guard("a function that is not supported",
               [](Call&) { return CKR_FUNCTION_NOT_SUPPORTED; });
}

#pragma GCC diagnostic ignored "-Wattribute-alias"
#define CK_PKCS11_3_0 1
// NOLINTBEGIN(bugprone-macro-parentheses)
#define WEAK [[gnu::weak, gnu::alias("KeyscopeNotSupported")]]
#define CK_PKCS11_FUNCTION_INFO(name) extern "C" WEAK decltype(name) name;
// NOLINTEND(bugprone-macro-parentheses)
#include <pkcs11f.h>
