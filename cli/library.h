// The module's file, as the operating system finds and loads it.
#pragma once

#include <string>

#include "p11/cryptoki.h"

namespace keyscope::cli {

// C_GetFunctionList of the shared library. It stays loaded. Throws Failure.
CK_C_GetFunctionList LoadModule(const std::string& path);
// Beside this command when it is there, else where it is installed.
std::string DefaultModulePath();

}  // namespace keyscope::cli
