// The name of a CK_RV, for the log.
#pragma once

#include <string>

#include "p11/cryptoki.h"

namespace keyscope::p11 {

std::string RvName(CK_RV rv);  // "CKR_DEVICE_ERROR"; "CK_RV 0x..." for one without a name

}  // namespace keyscope::p11
