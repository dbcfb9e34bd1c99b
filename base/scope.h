// KeyScope: to whom a key belongs. A property of each key, written into its row when it is made.
#pragma once

#include <cstdint>
#include <string_view>

namespace keyscope {

enum class KeyScope : uint8_t {
  Machine = 1,  // to the machine, whoever runs the process
  User = 2,     // to one account only
};

inline constexpr KeyScope kScopes[] = {KeyScope::Machine, KeyScope::User};
constexpr KeyScope OtherThan(KeyScope scope) {
  return scope == KeyScope::Machine ? KeyScope::User : KeyScope::Machine;
}
constexpr std::string_view Name(KeyScope scope) {
  return scope == KeyScope::Machine ? "machine" : "user";
}

}  // namespace keyscope
