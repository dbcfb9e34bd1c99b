// Work in child processes. To be used before this process has loaded a module or started a thread.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <vector>

namespace keyscope::bench {

struct Pipe {
  Pipe() {
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  }
  ~Pipe() {
    close(ends[0]);
    CloseWriting();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void CloseWriting() {
    if (ends[1] >= 0) close(ends[1]);
    ends[1] = -1;
  }
  int ends[2] = {-1, -1};
};

// A child that runs `body`; what that throws is told on `told`.
pid_t Start(const Pipe& told, const std::function<void()>& body);
// Waits for it; std::runtime_error with what it told.
void Await(pid_t child, Pipe& told);
// The numbers (at least one, and few) that `body` gives in a child.
std::vector<double> InChild(const std::function<std::vector<double>()>& body);

using Clock = std::chrono::steady_clock;
double MicrosecondsSince(Clock::time_point begin);
double OwnResidentKib();  // VmRSS

}  // namespace keyscope::bench
