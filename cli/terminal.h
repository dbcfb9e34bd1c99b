// The terminal (Windows: console) of this process.
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"

namespace keyscope::cli {

// The line that somebody types in answer to `prompt`, in UTF-8 and with its end, without an echo.
// Nullopt: there is no terminal.
std::optional<SecretBytes> AskSilently(const std::string& prompt);

}  // namespace keyscope::cli
