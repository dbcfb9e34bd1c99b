#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log_file.h"

namespace keyscope::log {

// A pipe or socket would stop the host when it is full, or end it when the reader goes.
int OpenFile(const std::string& file) {
  const int descriptor =
      open(file.c_str(),
           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
  struct stat opened {};
  if (descriptor < 0 || fstat(descriptor, &opened) != 0) return descriptor;
  if (S_ISREG(opened.st_mode) || S_ISCHR(opened.st_mode)) {
    fcntl(descriptor, F_SETFL, O_APPEND);  // O_NONBLOCK was for a pipe that nobody reads
    return descriptor;
  }
  close(descriptor);
  return -1;
}

}  // namespace keyscope::log
