// How token/ says no: with a CK_RV, the reason, and the place where it is said.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "p11/cryptoki.h"

namespace keyscope::token {

[[noreturn]] inline void Refuse(CK_RV rv, std::string_view why, Where where = Where::Here()) {
  throw Error(Rv{rv}, std::string(why), where);
}

}  // namespace keyscope::token
