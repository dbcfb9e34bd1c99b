#include "tpm/tss/quiet.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace keyscope::tpm::tss {

// The libraries read their variable once, at their first message. Not by setenv: that may move the
// array of variables, and free what another thread's getenv is reading.
void SilenceTss() {
  if (::getenv("TSS2_LOG") != nullptr || environ == nullptr) return;
  size_t count = 0;
  while (environ[count] != nullptr) ++count;
  // Both live on in the environment when this library is unloaded.
  auto** longer = static_cast<char**>(::malloc((count + 2) * sizeof(char*)));
  char* silent = ::strdup("TSS2_LOG=all+none");
  if (longer == nullptr || silent == nullptr) return;
  std::copy_n(environ, count, longer);
  longer[count] = silent;
  longer[count + 1] = nullptr;
  environ = longer;
}

}  // namespace keyscope::tpm::tss
