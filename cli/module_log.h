// The module's own words about what failed: its log, kept aside for the command's error messages.
#pragma once

#include <memory>
#include <string>

#include "cli/scratch_file.h"

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
  std::unique_ptr<ScratchFile> file_;
  bool offered_ = false;  // to the module, through the environment
};

}  // namespace keyscope::cli
