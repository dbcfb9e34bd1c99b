// The configuration file: whatever it holds, there is a configuration.
#include "p11/config.h"

#include "tests/fuzz/files.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const keyscope::fuzz::Folder folder;
  static const std::string path = folder / "keyscope.conf";
  keyscope::fuzz::Write(path, {data, size});
  setenv("KEYSCOPE_CONF", path.c_str(), 1);
  keyscope::p11::LoadConfig();
  return 0;
}
