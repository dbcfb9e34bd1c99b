// Files of a fuzz target: a folder of its own, removed at exit.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/bytes.h"

namespace keyscope::fuzz {

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "keyscope-fuzz-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// For this account only, as a store has to be.
inline void Write(const std::string& path, ByteView content) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  std::filesystem::permissions(path, std::filesystem::perms(0600));
}

inline Bytes Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace keyscope::fuzz
