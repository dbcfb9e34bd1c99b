// The log: silent unless asked for (KEYSCOPE_LOG). One line per event: what failed, the device's
// own words for it, and what to do. Thread-safe. Never given a PIN, an auth value or a plaintext.
#pragma once

#include <sstream>
#include <string>

namespace keyscope::log {

enum class Level { Silent, Error, Warn, Info, Debug, Trace };

// `file`: appended to; empty is stderr. Called by each C_Initialize.
void Configure(Level level, const std::string& file);
bool On(Level level);
void Write(Level level, const std::string& line);

// For pthread_atfork: no thread is inside the log while the process forks.
void LockForFork();
void UnlockAfterFork();

template <typename... Parts>
void Line(Level level, const Parts&... parts) {
  if (!On(level)) return;
  std::ostringstream line;
  (line << ... << parts);
  Write(level, line.str());
}
template <typename... Parts>
void Error(const Parts&... parts) {
  Line(Level::Error, parts...);
}
template <typename... Parts>
void Warn(const Parts&... parts) {
  Line(Level::Warn, parts...);
}
template <typename... Parts>
void Info(const Parts&... parts) {
  Line(Level::Info, parts...);
}
template <typename... Parts>
void Debug(const Parts&... parts) {
  Line(Level::Debug, parts...);
}
template <typename... Parts>
void Trace(const Parts&... parts) {
  Line(Level::Trace, parts...);
}

}  // namespace keyscope::log
