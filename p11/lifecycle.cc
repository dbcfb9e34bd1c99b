#include "p11/lifecycle.h"

#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/locked_memory.h"
#include "p11/fork.h"

namespace keyscope::p11 {
namespace {

void BeforeFork();
void AfterFork();

struct State {
  State() { AroundForks(BeforeFork, AfterFork); }

  std::mutex mutex;
  std::shared_ptr<Module> module;
  // Those that no call reaches: ending ones, and those of parent processes, never destroyed.
  std::vector<std::shared_ptr<Module>> left;
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
  for (const auto& module : state.left) module->LockForFork();
}

void AfterFork() {
  State& state = TheState();
  for (const auto& module : state.left) module->UnlockAfterFork();
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
  if (state.module != nullptr) state.left.push_back(std::move(state.module));

  LockArenaAgain();  // this may be the child of a fork
  Config config = LoadConfig();
  log::Configure(config.log, config.log_file);
  for (const std::string& problem : config.problems) log::Error("C_Initialize: ", problem);
  state.module = std::make_shared<Module>(args, std::move(config));
}

void Finalize() {
  State& state = TheState();
  std::unique_lock lock(state.mutex);
  if (!Alive(state)) NotInitialized();
  std::shared_ptr<Module> module = state.module;
  state.left.push_back(std::move(state.module));
  // It waits for what the TPM is at: other calls and forks do not wait with it.
  lock.unlock();
  module->Shutdown();
  lock.lock();
  std::erase(state.left, module);
  module.reset();
}

std::shared_ptr<Module> CurrentModule() {
  State& state = TheState();
  std::lock_guard lock(state.mutex);
  if (!Alive(state)) NotInitialized();
  return state.module;
}

}  // namespace keyscope::p11
