#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "base/environment.h"
#include "cli/scratch_file.h"

namespace keyscope::cli {

ScratchFile::ScratchFile()
    : path_(FindEnvironment("TMPDIR").value_or("/tmp") + "/keyscope-XXXXXX"),
      handle_(mkstemp(path_.data())) {}

ScratchFile::~ScratchFile() {
  Hide();
  if (valid()) close(static_cast<int>(handle_));
}

void ScratchFile::Hide() {
  if (valid() && !path_.empty()) unlink(path_.c_str());
  path_.clear();
}

std::string ScratchFile::Tail(size_t most) const {
  const int descriptor = static_cast<int>(handle_);
  std::string tail(most, '\0');
  const off_t end = lseek(descriptor, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, end - static_cast<off_t>(most));
  const ssize_t size = pread(descriptor, tail.data(), tail.size(), from);
  tail.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return tail;
}

}  // namespace keyscope::cli
