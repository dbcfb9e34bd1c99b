// The function lists and interfaces (section 5.4), made from the header's own list of functions.
// They work before C_Initialize.
#include <algorithm>
#include <array>
#include <cstring>

#include "p11/args.h"
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;

namespace {

#define CK_PKCS11_FUNCTION_INFO(name) name,
#define CK_PKCS11_3_0 1
constexpr CK_FUNCTION_LIST_3_0 kFunctions30 = {
    {3, 0},
#include <pkcs11f.h>
};
#define CK_PKCS11_2_0_ONLY 1
constexpr CK_FUNCTION_LIST kFunctions240 = {
    {2, 40},
#include <pkcs11f.h>
};
#undef CK_PKCS11_2_0_ONLY
#undef CK_PKCS11_3_0
#undef CK_PKCS11_FUNCTION_INFO

char kName[] = "PKCS 11";
// PKCS#11 knows no const; a caller that writes to a list is stopped by the page.
CK_INTERFACE Interface(const void* functions) {
  return {reinterpret_cast<CK_CHAR*>(kName), const_cast<void*>(functions), 0};
}
// The first one is the default.
const std::array<CK_INTERFACE, 2>& Interfaces() {
  static const std::array all = {Interface(&kFunctions30), Interface(&kFunctions240)};
  return all;
}

bool Matches(const CK_INTERFACE& interface, const CK_UTF8CHAR* name, const CK_VERSION* version,
             CK_FLAGS flags) {
  // Every function list begins with its version.
  const auto& own = *static_cast<const CK_VERSION*>(interface.pFunctionList);
  return (name == nullptr || strcmp(reinterpret_cast<const char*>(name), kName) == 0) &&
         (version == nullptr || (version->major == own.major && version->minor == own.minor)) &&
         (flags & ~interface.flags) == 0;
}

}  // namespace

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList) {
  return Unguarded(__func__, [&](Call&) {
    Required(ppFunctionList) = const_cast<CK_FUNCTION_LIST_PTR>(&kFunctions240);
  });
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount) {
  return Unguarded(__func__, [&](Call&) {
    return WriteList(std::span<const CK_INTERFACE>(Interfaces()), pInterfacesList, pulCount);
  });
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion,
                     CK_INTERFACE_PTR_PTR ppInterface, CK_FLAGS flags) {
  return Unguarded(__func__, [&](Call&) {
    CK_INTERFACE_PTR& result = Required(ppInterface);
    auto found = std::ranges::find_if(Interfaces(), [&](const CK_INTERFACE& interface) {
      return Matches(interface, pInterfaceName, pVersion, flags);
    });
    if (found == Interfaces().end())
      throw Error(Rv{CKR_ARGUMENTS_BAD}, "no interface of this name, version and flags");
    result = const_cast<CK_INTERFACE_PTR>(&*found);
  });
}
