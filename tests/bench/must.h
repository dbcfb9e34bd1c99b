#pragma once

#include <stdexcept>
#include <string>

namespace keyscope::bench {

inline void Must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + " fails");
}

}  // namespace keyscope::bench
