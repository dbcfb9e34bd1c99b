// Every function of version 3.0 does something, or the README says why it does not.
#include <fstream>
#include <iterator>
#include <string>

#include "tests/module/module_fixture.h"

namespace keyscope::test {
namespace {

// A session where the function takes one, and nothing else.
template <typename... Rest>
CK_RV CallWith(CK_SESSION_HANDLE session, CK_RV (*function)(CK_ULONG, Rest...)) {
  return function(session, Rest{}...);
}
template <typename... Args>
CK_RV CallWith(CK_SESSION_HANDLE, CK_RV (*function)(Args...)) {
  return function(Args{}...);
}

struct FunctionRow {
  std::string name;
  CK_RV (*call)(CK_SESSION_HANDLE);
};
const FunctionRow kFunctions[] = {
#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) \
  {#name, [](CK_SESSION_HANDLE session) { return CallWith(session, &name); }},
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0
};

class Functions : public LoggedIn {};

TEST_F(Functions, NoneIsUnsupportedWithoutAWordInTheReadme) {
  std::ifstream file(KEYSCOPE_README);
  const std::string readme{std::istreambuf_iterator(file), {}};
  ASSERT_FALSE(readme.empty());
  EXPECT_EQ(std::size(kFunctions), 92U);
  for (const FunctionRow& function : kFunctions) {
    C_Initialize(nullptr);  // one of them is C_Finalize
    const CK_RV rv = function.call(Open());
    if (rv != CKR_FUNCTION_NOT_SUPPORTED && rv != CKR_FUNCTION_NOT_PARALLEL) continue;
    EXPECT_NE(readme.find('`' + function.name + '`'), std::string::npos) << function.name;
  }
}

}  // namespace
}  // namespace keyscope::test
