// What is measured in processes of their own: to be used before this one has loaded a module or
// started a thread. All throw std::runtime_error with a child's own words.
#pragma once

#include <functional>

#include "tests/bench/client.h"

namespace keyscope::bench {

// dlopen and C_Initialize, in microseconds.
double LoadAndInitialize(const ModuleOptions& options);
// What a process has in memory after C_Initialize, in KiB (VmRSS).
double InitializedKib(const ModuleOptions& options);
// The same after a login, a search and a signature.
double ResidentKib(const ModuleOptions& options);

// Microseconds for each signature when `processes` make some at once. `prepare` is called in each
// of them, and gives what makes one.
double SignInProcesses(int processes, const std::function<std::function<void()>()>& prepare);
// Sets the variables of ModuleOptions::shared.
void UseShared(const ModuleOptions& options);
std::function<void()> ModuleSigner(const ModuleOptions& options);
std::function<void()> FloorSigner(const std::string& tcti);

}  // namespace keyscope::bench
