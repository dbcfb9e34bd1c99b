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
  // Those that no new call reaches: ending ones, and those of parent processes, never destroyed.
  // A module is only destroyed with the mutex held, so not while a child is made.
  std::vector<std::shared_ptr<Module>> left;
  std::vector<std::shared_ptr<Module>> locked;  // for the fork that is under way
};

// Leaked on purpose: C_Finalize may come from an atexit handler.
State& TheState() {
  static auto& state = *new State;
  return state;
}

// Needs the mutex.
std::vector<std::shared_ptr<Module>> All(const State& state) {
  std::vector<std::shared_ptr<Module>> all = state.left;
  if (state.module != nullptr) all.push_back(state.module);
  return all;
}

// A module may be waiting for a store that another process has locked. Other calls do not wait with
// the fork for that: the mutex comes last.
void BeforeFork() {
  State& state = TheState();
  for (;;) {
    std::unique_lock lock(state.mutex);
    std::vector<std::shared_ptr<Module>> all = All(state);
    lock.unlock();
    for (const auto& module : all) module->LockForFork();
    lock.lock();
    if (all == All(state)) {
      state.locked = std::move(all);
      static_cast<void>(lock.release());
      return;
    }
    for (const auto& module : all) module->UnlockAfterFork();
  }
}

void AfterFork() {
  State& state = TheState();
  for (const auto& module : std::exchange(state.locked, {})) module->UnlockAfterFork();
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
  module.reset();
  // One that another thread is still in stays until the next C_Finalize.
  std::erase_if(state.left, [](const std::shared_ptr<Module>& one) {
    return one.use_count() == 1 && one->OfThisProcess();
  });
}

std::shared_ptr<Module> CurrentModule() {
  State& state = TheState();
  std::lock_guard lock(state.mutex);
  if (!Alive(state)) NotInitialized();
  return state.module;
}

}  // namespace keyscope::p11
