// Where PINs and other secrets come from. They are never printed and never logged.
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"

namespace keyscope::cli {

struct PinSource {
  std::string value = {}, file = {};  // --pin, --pin-file; a trailing line end does not count
  const char* variable = nullptr;     // the environment's
  std::string prompt = {};            // what a terminal is asked
};

// A file's contents, at most 64 KiB; "-": standard input. UsageError when it cannot be read, or is
// longer.
SecretBytes ReadSecret(const std::string& path);

// The first of value, file, variable; else asked for on the terminal without echo. Nullopt without
// any of them. Throws UsageError for a file that cannot be read.
std::optional<SecretBytes> FindPin(const PinSource& source);
// The same, but nobody is asked.
std::optional<SecretBytes> FindGiven(const PinSource& source);
// The same for a PIN that is being set: a terminal is asked twice, and must answer the same.
std::optional<SecretBytes> FindNewPin(const PinSource& source);

}  // namespace keyscope::cli
