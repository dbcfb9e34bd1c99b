#include "tests/bench/child.h"

#include <sys/wait.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>

namespace keyscope::bench {
namespace {

constexpr size_t kMostNumbers = 64;

}  // namespace

double MicrosecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

pid_t Start(const Pipe& told, const std::function<void()>& body) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child > 0) return child;
  try {
    body();
    _exit(0);
  } catch (const std::exception& error) {
    const ssize_t written = write(told.ends[1], error.what(), std::strlen(error.what()));
    _exit(written > 0 ? 1 : 2);
  }
}

void Await(pid_t child, Pipe& told) {
  told.CloseWriting();  // else a read would wait for more
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::array<char, 256> words{};
  const bool has_words = WIFEXITED(status) && WEXITSTATUS(status) == 1 &&
                         read(told.ends[0], words.data(), words.size() - 1) > 0;
  throw std::runtime_error(has_words ? words.data() : "a process ended early");
}

std::vector<double> InChild(const std::function<std::vector<double>()>& body) {
  Pipe result, told;
  const pid_t child = Start(told, [&] {
    const std::vector<double> numbers = body();
    const size_t size = numbers.size() * sizeof(double);
    if (write(result.ends[1], numbers.data(), size) != static_cast<ssize_t>(size))
      throw std::runtime_error("no room for the result");
  });
  Await(child, told);
  std::vector<double> numbers(kMostNumbers);
  const ssize_t size = read(result.ends[0], numbers.data(), numbers.size() * sizeof(double));
  if (size <= 0) throw std::runtime_error("no result");
  numbers.resize(static_cast<size_t>(size) / sizeof(double));
  return numbers;
}

double OwnResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  throw std::runtime_error("/proc/self/status tells no VmRSS");
}

}  // namespace keyscope::bench
