#include <cstdlib>

#include "base/environment.h"

namespace keyscope {

std::optional<std::string> FindEnvironment(const char* name) {
  const char* value = secure_getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

void SetEnvironment(const char* name, const std::optional<std::string>& value) {
  if (value)
    setenv(name, value->c_str(), 1);
  else
    unsetenv(name);
}

}  // namespace keyscope
