#include <fcntl.h>

#include "base/log_file.h"

namespace keyscope::log {

int OpenFile(const std::string& file) {
  return open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace keyscope::log
