// What ends a command, beside keyscope::Error: each has its exit code.
#pragma once

#include <stdexcept>

namespace keyscope::cli {

enum class Exit { Ok = 0, Failed = 1, Usage = 2, NotVerified = 3 };

// The command line is wrong: a bad URI, options that exclude each other, a missing PIN.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What was asked for cannot be done: no such key, a name that is taken, another scope.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace keyscope::cli
