#include "base/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>

#include "base/log_file.h"

namespace keyscope::log {
namespace {

// Leaked on purpose: nothing of the module is destroyed at exit.
std::atomic<Level> level{Level::Silent};
std::atomic<int> descriptor{STDERR_FILENO};
std::mutex& Mutex() {
  static auto& mutex = *new std::mutex;
  return mutex;
}

const char* Word(Level at) {
  switch (at) {
    case Level::Error:
      return "error";
    case Level::Warn:
      return "warn";
    case Level::Info:
      return "info";
    case Level::Debug:
      return "debug";
    case Level::Trace:
      return "trace";
    case Level::Silent:
      break;
  }
  return "";
}

std::string Now() {
  using namespace std::chrono;
  const auto now = floor<milliseconds>(system_clock::now());
  const auto today = floor<days>(now);
  const year_month_day date(today);
  const hh_mm_ss time(now - today);
  std::array<char, 40> text{};
  snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
           static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
           static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
           static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
           static_cast<int>(time.subseconds().count()));
  return text.data();
}

}  // namespace

void Configure(Level to, const std::string& file) {
  std::unique_lock lock(Mutex());
  int old = descriptor.load();
  int opened = STDERR_FILENO;
  const bool wants_file = to != Level::Silent && !file.empty();
  if (wants_file) {
    const int fd = OpenFile(file);
    if (fd >= 0) opened = fd;
  }
  descriptor = opened;
  level = to;
  if (old != STDERR_FILENO) close(old);
  lock.unlock();
  if (wants_file && opened == STDERR_FILENO)
    Error("the log goes to standard error: ", file, " cannot be opened for writing");
}

bool On(Level at) { return at <= level.load(std::memory_order_relaxed); }

void Write(Level at, const std::string& line) {
  std::string text = Now() + " keyscope[" + std::to_string(getpid()) + "] " + Word(at) + ": ";
  // Other people's words (labels, device messages) must not forge a second line.
  for (char c : line) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  text += '\n';
  std::lock_guard lock(Mutex());
  [[maybe_unused]] auto written =
      write(descriptor, text.data(), static_cast<unsigned>(text.size()));
}

void LockForFork() { Mutex().lock(); }
void UnlockAfterFork() { Mutex().unlock(); }

}  // namespace keyscope::log
