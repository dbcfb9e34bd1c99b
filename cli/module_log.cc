#include "cli/module_log.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "p11/config.h"

namespace keyscope::cli {

ModuleLog::ModuleLog() {
  if (p11::LoadConfig().log != log::Level::Silent) return;
  const char* folder = secure_getenv("TMPDIR");
  path_ = std::string(folder == nullptr ? "/tmp" : folder) + "/keyscope-XXXXXX";
  descriptor_ = mkstemp(path_.data());
  if (descriptor_ < 0) return;
  setenv("KEYSCOPE_LOG", "warn", 1);
  setenv("KEYSCOPE_LOG_FILE", path_.c_str(), 1);
}

ModuleLog::~ModuleLog() {
  ModuleHasIt();
  if (descriptor_ >= 0) close(descriptor_);
}

void ModuleLog::ModuleHasIt() {
  if (descriptor_ < 0 || path_.empty()) return;
  unlink(path_.c_str());
  unsetenv("KEYSCOPE_LOG");
  unsetenv("KEYSCOPE_LOG_FILE");
  path_.clear();
}

std::string ModuleLog::LastLine() const {
  if (descriptor_ < 0) return "";
  std::array<char, 8192> tail{};
  const off_t end = lseek(descriptor_, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, end - static_cast<off_t>(tail.size()));
  const ssize_t size = pread(descriptor_, tail.data(), tail.size(), from);
  if (size <= 0) return "";
  std::string text(tail.data(), static_cast<size_t>(size));
  text.erase(text.find_last_not_of('\n') + 1);
  text.erase(0, text.rfind('\n') + 1);  // npos + 1 is 0
  // "<time> keyscope[<pid>] <level>: <what>"
  const size_t words = text.find(": ");
  return words == std::string::npos ? text : text.substr(words + 2);
}

}  // namespace keyscope::cli
