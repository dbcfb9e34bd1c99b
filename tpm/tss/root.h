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

}  // namespace keyscope::tpm::tss
