// Stands in for libFuzzer where the compiler has none: runs each file of the folders named.
#include <iostream>

#include "tests/fuzz/files.h"
#include "tests/fuzz/input.h"

int main(int argc, char** argv) {
  size_t runs = 0;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      const keyscope::Bytes input = keyscope::fuzz::Read(entry.path());
      LLVMFuzzerTestOneInput(input.data(), input.size());
      ++runs;
    }
  std::cout << runs << " inputs\n";
  return runs == 0 ? 1 : 0;
}
