// Percent-encoding (RFC 3986, section 2.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace keyscope {

std::optional<Bytes> FromHexOfEitherCase(std::string_view text);
// Nullopt where '%' is not followed by two hexadecimal digits.
std::optional<std::string> FromPercent(std::string_view text);

}  // namespace keyscope
