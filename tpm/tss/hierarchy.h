// What needs the authorization of a hierarchy: empty, or configured.
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// Runs `use(auth)` with the authorization of `hierarchy` (TPM2_RH_OWNER or TPM2_RH_ENDORSEMENT).
// Fault::Denied when it is not the configured one.
template <typename Use>
auto AsHierarchy(Device& device, TPM2_HANDLE hierarchy, Use use) {
  try {
    const SecretBytes& value = device.AuthOf(hierarchy);
    const Auth auth = value.empty() ? Auth{} : device.Begin(nullptr, value.view(), Hold::Never);
    auto result = use(auth);
    device.End(auth);
    return result;
  } catch (const CommandError& error) {
    if (!error.Is(Fault::AuthFailed)) throw;
    throw WithFault(error, Fault::Denied,
                    hierarchy == TPM2_RH_OWNER
                        ? "; the storage hierarchy has an authorization: configure owner_auth"
                        : "; the endorsement hierarchy has an authorization: configure "
                          "endorsement_auth");
  }
}

}  // namespace keyscope::tpm::tss
