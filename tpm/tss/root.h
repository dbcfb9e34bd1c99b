// The storage root: found, made, and brought into the TPM when an operation needs it.
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// See Backend::EnsureRoot. Within Device::Operate.
Root EnsureRoot(Device& device);

// The root as a parent, made anew when it is not a persistent one. Fault::KeyGone when this TPM
// makes another one, Fault::Corrupt when the stored root is none.
StorageKey Parent(Device& device, const Root& root);

// What an operation uses: at its persistent handle, or loaded under `root`. Fault::KeyGone when
// another object is at the handle.
Object Ready(Device& device, const Root& root, const KeyRef& key);

// Runs `use(auth)` with the owner's authorization. Fault::Denied when it is not the configured one.
template <typename Use>
auto AsOwner(Device& device, Use use) {
  try {
    const Auth owner = device.owner_auth().empty()
                           ? Auth{}
                           : device.Begin(nullptr, device.owner_auth().view(), Hold::Never);
    auto result = use(owner);
    device.End(owner);
    return result;
  } catch (const CommandError& error) {
    if (!error.Is(Fault::AuthFailed)) throw;
    throw WithFault(error, Fault::Denied,
                    "; the storage hierarchy has an owner authorization: configure it");
  }
}

}  // namespace keyscope::tpm::tss
