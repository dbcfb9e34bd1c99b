// The log's file as the operating system has it.
#pragma once

#include <string>

namespace keyscope::log {

// A descriptor that appends to `file`, which is made if need be, readable by this account only;
// never through a symbolic link. -1: it cannot be opened.
int OpenFile(const std::string& file);

}  // namespace keyscope::log
