// URIs: what is read is printed so that it reads as the same.
#include "cli/uri.h"

#include "cli/error.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace keyscope::cli;
  try {
    const Uri uri = ParseUri(std::string(reinterpret_cast<const char*>(data), size));
    if (Print(ParseUri(Print(uri))) != Print(uri)) abort();
  } catch (const UsageError&) {
  }
  return 0;
}
