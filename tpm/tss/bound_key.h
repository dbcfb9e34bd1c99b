// Keys that are bound to PCRs. All within Device::Operate.
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// See Backend::ReadPcrs. The session of `audit` vouches for the values.
PcrState ReadPcrs(Device& device, Auth audit, const PcrSelection& selection);

// Authorizes one use of `key`: by the held session, or, of a key with PCRs, by a policy session in
// which its policy is fulfilled. To be ended with Device::End. Fault::PolicyMismatch.
Auth AuthorizeUse(Device& device, const KeyRef& key);

}  // namespace keyscope::tpm::tss
