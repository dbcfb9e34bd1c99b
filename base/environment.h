// The environment, as far as it may be trusted.
#pragma once

#include <optional>
#include <string>

namespace keyscope {

// The variable's value in UTF-8; nullopt when it is not set, and for a set-user-ID program.
std::optional<std::string> FindEnvironment(const char* name);
// The same; empty when it is not set.
inline std::string Environment(const char* name) { return FindEnvironment(name).value_or(""); }
// Nullopt: takes the variable away. Not while other threads read the environment.
void SetEnvironment(const char* name, const std::optional<std::string>& value);

}  // namespace keyscope
