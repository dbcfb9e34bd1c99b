#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <mutex>

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
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  char text[40];
  size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text + used, sizeof text - used, ".%03ldZ", now.tv_nsec / 1000000);
  return text;
}

}  // namespace

void Configure(Level to, const std::string& file) {
  std::lock_guard lock(Mutex());
  int old = descriptor.load();
  int opened = STDERR_FILENO;
  if (to != Level::Silent && !file.empty()) {
    int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) opened = fd;
  }
  descriptor = opened;
  level = to;
  if (old != STDERR_FILENO) close(old);
}

bool On(Level at) { return at <= level.load(std::memory_order_relaxed); }

void Write(Level at, const std::string& line) {
  std::string text = Now() + " keyscope[" + std::to_string(getpid()) + "] " + Word(at) + ": ";
  // Other people's words (labels, device messages) must not forge a second line.
  for (char c : line) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  text += '\n';
  std::lock_guard lock(Mutex());
  [[maybe_unused]] ssize_t written = write(descriptor, text.data(), text.size());
}

}  // namespace keyscope::log
