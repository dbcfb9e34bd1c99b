#include "tests/support/lsan.h"

#include <dlfcn.h>

extern "C" __attribute__((visibility("default"))) const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libtss2-tcti-swtpm\n"; }

namespace keyscope::test {

void KeepSwtpmTctiLoaded() { ::dlopen("libtss2-tcti-swtpm.so.0", RTLD_LAZY | RTLD_NODELETE); }

}  // namespace keyscope::test
