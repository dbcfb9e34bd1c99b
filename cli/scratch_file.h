// A file that another part of this process writes by its name, and that nobody else needs to see.
#pragma once

#include <cstdint>
#include <string>

namespace keyscope::cli {

class ScratchFile {
 public:
  ScratchFile();  // valid() tells whether there is one
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  bool valid() const { return handle_ != -1; }
  const std::string& path() const { return path_; }
  // Takes its name away as far as the system allows: who has it open goes on with it.
  void Hide();
  std::string Tail(size_t most) const;  // its last `most` bytes

 private:
  std::string path_;
  intptr_t handle_ = -1;
};

}  // namespace keyscope::cli
