#include "tests/bench/fresh.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include "tests/bench/child.h"
#include "tests/bench/floor.h"
#include "tests/bench/module.h"

namespace keyscope::bench {
namespace {

constexpr Row kSign{"sign P-256", Work::SignEc, 1};
constexpr int kSignaturesEach = 40;

}  // namespace

double LoadAndInitialize(const ModuleOptions& options) {
  auto measure = [&] {
    const auto begin = Clock::now();
    const Client client(options);
    client.Initialize();
    return std::vector{MicrosecondsSince(begin)};
  };
  return InChild(measure).front();
}

double InitializedKib(const ModuleOptions& options) {
  auto measure = [&] {
    const Client client(options);
    client.Initialize();
    return std::vector{OwnResidentKib()};
  };
  return InChild(measure).front();
}

double ResidentKib(const ModuleOptions& options) {
  auto measure = [&] {
    const auto sign = ModuleSigner(options);
    sign();
    return std::vector{OwnResidentKib()};
  };
  return InChild(measure).front();
}

void UseShared(const ModuleOptions& options) {
  for (const std::string& variable : options.shared) putenv(strdup(variable.c_str()));
}

std::function<void()> ModuleSigner(const ModuleOptions& options) {
  const auto module = std::make_shared<Module>(options);
  module->Warm();
  return [module, sign = module->Doing(kSign)] { sign(); };
}

std::function<void()> FloorSigner(const std::string& tcti) {
  const auto floor = std::make_shared<Floor>(tcti);
  return [floor, sign = floor->Doing(kSign)] { sign(); };
}

double SignInProcesses(int processes, const std::function<std::function<void()>()>& prepare) {
  Pipe told, ready, go;
  auto work = [&] {
    go.CloseWriting();
    std::function<void()> sign;
    std::exception_ptr failed;
    try {
      sign = prepare();
      sign();
    } catch (...) {
      failed = std::current_exception();
    }
    char byte = 0;
    // The second one ends when the parent closes its end.
    if (write(ready.ends[1], &byte, 1) != 1 || read(go.ends[0], &byte, 1) < 0)
      throw std::runtime_error("the parent has gone");
    if (failed) std::rethrow_exception(failed);
    for (int n = 0; n < kSignaturesEach; ++n) sign();
  };
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) children.push_back(Start(told, work));
  ready.CloseWriting();
  char byte = 0;
  for (int i = 0; i < processes && read(ready.ends[0], &byte, 1) == 1; ++i) continue;
  const auto begin = Clock::now();
  go.CloseWriting();
  std::string error;
  for (pid_t child : children) try {
      Await(child, told);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
  if (!error.empty()) throw std::runtime_error(error);
  return MicrosecondsSince(begin) / (processes * kSignaturesEach);
}

}  // namespace keyscope::bench
