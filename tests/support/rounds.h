// How long a test runs.
#pragma once

#include <cstdlib>

namespace keyscope::test {

// How often a test does its work: `usual` times, or KEYSCOPE_ROUNDS in the environment.
inline int Rounds(int usual) {
  const char* asked = std::getenv("KEYSCOPE_ROUNDS");
  return asked != nullptr ? std::atoi(asked) : usual;
}

}  // namespace keyscope::test
