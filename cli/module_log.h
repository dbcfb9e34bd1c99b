// The module's own words about what failed: its log, kept aside for the command's error messages.
#pragma once

#include <string>

namespace keyscope::cli {

class ModuleLog {
 public:
  // Turns the module's warnings on, into a file that is gone when the module has opened it. Does
  // nothing where the environment or the configuration has a log already. Before C_Initialize.
  ModuleLog();
  ~ModuleLog();
  ModuleLog(const ModuleLog&) = delete;
  ModuleLog& operator=(const ModuleLog&) = delete;

  void ModuleHasIt();  // after C_Initialize
  // The newest line, without its time and level; empty when there is none.
  std::string LastLine() const;

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace keyscope::cli
