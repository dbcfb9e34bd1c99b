// The TPM of a test that runs on both platforms: a new one, which the module's environment names.
#pragma once

#include <cstdlib>

#ifdef _WIN32
#include "tests/contract/double_subject.h"
#else
#include "tests/support/swtpm.h"
#endif

namespace keyscope::test {

#ifdef _WIN32
using Tpm = DoubleSubject;
#else
struct Tpm : Swtpm {
  Tpm() { ::setenv("KEYSCOPE_TCTI", tcti().c_str(), 1); }
};
#endif

}  // namespace keyscope::test
