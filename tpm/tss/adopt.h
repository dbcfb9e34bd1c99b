// Keys that other software had this TPM make, or that it wrapped for it.
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// The key's id in the cache of loaded objects, until it is adopted.
inline constexpr std::string_view kAdopted = "adopted key";

// See Backend::Adopt. Within Device::Operate, which must not repeat it after an answer: a wrong
// auth value may spend a try.
KeyBlob Adopt(Device& device, const Root& root, const ForeignKey& key, const SecretBytes& auth);

}  // namespace keyscope::tpm::tss
