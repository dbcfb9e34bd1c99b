// Ways for a process to end that has the module at work: a session held in the TPM, a thread that
// is to give it back, a login.
#include <cstdlib>
#include <thread>

#include "tests/processes/client.h"

namespace keyscope::processes {
namespace {

constexpr int kExitCode = 7;
constexpr char kKey[] = "key of a process that ends";
const CK_FUNCTION_LIST* at_exit_functions = nullptr;

// A wrong answer changes the exit code.
void FinalizeAtExit() {
  if (at_exit_functions->C_Finalize(nullptr) != CKR_OK) ::_Exit(1);
  if (at_exit_functions->C_Finalize(nullptr) != CKR_CRYPTOKI_NOT_INITIALIZED) ::_Exit(2);
}

}  // namespace

int End(const std::string& module, const std::string& how) {
  // Registered first, it runs last: after all that the module and its libraries have registered.
  if (how == "atexit-first") std::atexit(FinalizeAtExit);
  static auto& client = *new Client(module);  // never destroyed
  at_exit_functions = &client.functions();
  client.Generate(kKey);
  for (int n = 0; n < 3; ++n) client.Sign(kKey);
  client.Destroy(kKey);
  if (how == "atexit-last") std::atexit(FinalizeAtExit);
  if (how == "quick") std::quick_exit(kExitCode);
  if (how == "busy") {
    client.Generate(kKey);
    std::thread([] {
      for (;;) client.Sign(kKey);
    }).detach();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  std::exit(kExitCode);
}

}  // namespace keyscope::processes
