// What the operating system's own codes mean for a store.
#pragma once

#include "base/error.h"

namespace keyscope::store {

// `code`: an errno, or on Windows a Win32 error. Fault::Internal for all that is not expected.
Fault FaultOfSystem(int code);

}  // namespace keyscope::store
