// Windows' own words for its codes: Win32 errors, HRESULTs, SECURITY_STATUS.
#pragma once

#include <cstdint>
#include <string>

namespace keyscope {

// "Access is denied (5)", "Keyset does not exist (0x80090016)".
std::string WindowsMessage(uint32_t code);

}  // namespace keyscope
