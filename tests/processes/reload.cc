// The module is loaded, initialised, used, finalized and unloaded again and again.
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "tests/processes/client.h"

namespace keyscope::processes {
namespace {

void Round(const std::string& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(::dlerror());
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  CK_ULONG count = 0;
  CK_SESSION_HANDLE session = 0;
  if (get(&functions) != CKR_OK || functions->C_Initialize(nullptr) != CKR_OK ||
      functions->C_GetSlotList(CK_FALSE, nullptr, &count) != CKR_OK ||
      functions->C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session) != CKR_OK ||
      functions->C_Finalize(nullptr) != CKR_OK)
    throw std::runtime_error("a round failed");
  ::dlclose(library);
}

void LogInAndSign(const std::string& module, const std::string& label) {
  Client client(module);
  if (client.Count(label) == 0) client.Generate(label);
  for (int n = 0; n < 2; ++n) client.Sign(label);
}

struct Use {
  size_t heap;  // bytes that malloc has given out; 0 under the sanitizers, which look themselves
  ptrdiff_t files;  // open descriptors
  ptrdiff_t threads;
};
Use Now() {
  auto entries = [](const char* folder) {
    const std::filesystem::directory_iterator all(folder);
    return std::distance(begin(all), end(all));
  };
  return {::mallinfo2().uordblks, entries("/proc/self/fd"), entries("/proc/self/task")};
}

}  // namespace

int Reload(const std::string& module, int rounds) {
  constexpr char kKey[] = "key of the process that loads";
  constexpr int kUses = 20;  // rounds with a login and a signature among them
  for (int n = 0; n < rounds / 5; ++n) Round(module);
  for (int n = 0; n < 3; ++n) LogInAndSign(module, kKey);
  const Use before = Now();
  for (int n = 0; n < rounds; ++n) {
    Round(module);
    if (n % (rounds / kUses + 1) == 0) LogInAndSign(module, kKey);
  }
  const Use after = Now();
  std::printf("%d rounds: heap %+ld bytes, %+td descriptors, %+td threads\n", rounds,
              static_cast<long>(after.heap) - static_cast<long>(before.heap),
              after.files - before.files, after.threads - before.threads);
  constexpr size_t kNoise = 16384;  // 16 bytes in each of 1,000 rounds are more
  return after.heap <= before.heap + kNoise && after.files <= before.files &&
                 after.threads == before.threads
             ? 0
             : 1;
}

}  // namespace keyscope::processes
