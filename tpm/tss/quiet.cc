#include "tpm/tss/quiet.h"

#include <sys/single_threaded.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace keyscope::tpm::tss {
namespace {

constexpr char kName[] = "TSS2_LOG", kSilent[] = "all+none";

// As setenv, but what another thread's getenv is reading is never freed.
void SetBesideReaders(const char* name, const char* value) {
  // Leaked on purpose: they live on in the environment when this library is unloaded.
  static auto& leaked = *new std::vector<void*>;
  size_t count = 0;
  while (environ[count] != nullptr) ++count;
  auto** longer = static_cast<char**>(::malloc((count + 2) * sizeof(char*)));
  char* text = nullptr;
  if (longer == nullptr || ::asprintf(&text, "%s=%s", name, value) < 0) return;
  leaked.insert(leaked.end(), {longer, text});
  std::copy_n(environ, count, longer);
  longer[count] = text;
  longer[count + 1] = nullptr;
  environ = longer;
}

}  // namespace

// The libraries read their variable once, at their first message.
void SilenceTss() {
  if (::getenv(kName) != nullptr) return;
  if (__libc_single_threaded != 0 || environ == nullptr)
    ::setenv(kName, kSilent, 1);
  else
    SetBesideReaders(kName, kSilent);
}

}  // namespace keyscope::tpm::tss
