#include "cli/module_log.h"

#include "base/environment.h"
#include "p11/config.h"

namespace keyscope::cli {
namespace {

constexpr size_t kLongestLine = 8192;

}  // namespace

ModuleLog::ModuleLog() {
  if (p11::LoadConfig().log != log::Level::Silent) return;
  file_ = std::make_unique<ScratchFile>();
  if (!file_->valid()) {
    file_.reset();
    return;
  }
  SetEnvironment("KEYSCOPE_LOG", "warn");
  SetEnvironment("KEYSCOPE_LOG_FILE", file_->path());
  offered_ = true;
}

ModuleLog::~ModuleLog() { ModuleHasIt(); }

void ModuleLog::ModuleHasIt() {
  if (!offered_) return;
  offered_ = false;
  file_->Hide();
  SetEnvironment("KEYSCOPE_LOG", std::nullopt);
  SetEnvironment("KEYSCOPE_LOG_FILE", std::nullopt);
}

std::string ModuleLog::LastLine() const {
  if (file_ == nullptr) return "";
  std::string text = file_->Tail(kLongestLine);
  text.erase(text.find_last_not_of('\n') + 1);
  text.erase(0, text.rfind('\n') + 1);  // npos + 1 is 0
  // "<time> keyscope[<pid>] <level>: <what>"
  const size_t words = text.find(": ");
  return words == std::string::npos ? text : text.substr(words + 2);
}

}  // namespace keyscope::cli
