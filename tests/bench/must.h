// For calls that do not fail in a benchmark: std::runtime_error when one does.
#pragma once

#include <stdexcept>
#include <string>

namespace keyscope::bench {

inline void Must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + " fails");
}

}  // namespace keyscope::bench
