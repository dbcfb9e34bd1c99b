#include "p11/lifecycle.h"

#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "p11/fork.h"

namespace keyscope::p11 {
namespace {

void BeforeFork();
void AfterFork();

struct State {
  State() { AroundForks(BeforeFork, AfterFork); }

  std::mutex mutex;
  std::shared_ptr<Module> module;
  std::vector<std::shared_ptr<Module>> abandoned;  // of parent processes, never destroyed
};

// Leaked on purpose: C_Finalize may come from an atexit handler.
State& TheState() {
  static auto& state = *new State;
  return state;
}

void BeforeFork() {
  State& state = TheState();
  state.mutex.lock();
  if (state.module != nullptr) state.module->LockForFork();
}

void AfterFork() {
  State& state = TheState();
  if (state.module != nullptr) state.module->UnlockAfterFork();
  state.mutex.unlock();
}

bool Alive(const State& state) { return state.module != nullptr && state.module->OfThisProcess(); }

[[noreturn]] void NotInitialized() {
  throw Error(Rv{CKR_CRYPTOKI_NOT_INITIALIZED}, "C_Initialize has not been called in this process");
}

}  // namespace

void Initialize(const InitializeArgs& args) {
  State& state = TheState();
  std::lock_guard lock(state.mutex);
  if (Alive(state))
    throw Error(Rv{CKR_CRYPTOKI_ALREADY_INITIALIZED}, "C_Initialize has been called before");
  if (state.module != nullptr) state.abandoned.push_back(std::exchange(state.module, nullptr));

  Config config = LoadConfig();
  log::Configure(config.log, config.log_file);
  for (const std::string& problem : config.problems) log::Error("C_Initialize: ", problem);
  state.module = std::make_shared<Module>(args, std::move(config));
}

void Finalize() {
  State& state = TheState();
  std::lock_guard lock(state.mutex);
  if (!Alive(state)) NotInitialized();
  std::exchange(state.module, nullptr)->Shutdown();
}

std::shared_ptr<Module> CurrentModule() {
  State& state = TheState();
  std::lock_guard lock(state.mutex);
  if (!Alive(state)) NotInitialized();
  return state.module;
}

}  // namespace keyscope::p11
