// The storage root: found, made, and brought into the TPM when an operation needs it.
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// See Backend::EnsureRoot. Within Device::Operate.
Root EnsureRoot(Device& device);

// The root as a parent, made anew when it is not a persistent one. Fault::KeyGone when this TPM
// makes another one, Fault::Corrupt when the stored root is none.
StorageKey Parent(Device& device, const Root& root);

// The owner's primary that keys in key files have as their parent.
Root KeyFileRoot(Device& device);

// `blob` of a key that is under `parent`, and not always under the token's own `root`.
KeyBlob Under(const Root& parent, const Root& root, KeyBlob blob);

// What an operation uses: at its persistent handle, or loaded under `root`. Fault::KeyGone when
// another object is at the handle.
Object Ready(Device& device, const Root& root, const KeyRef& key);
// False when the key is under dictionary-attack protection: a session that the TPM no longer knows
// would spend a try.
bool MayUseHeldSession(const KeyRef& key);
// Its authorization by its auth value: by the held session in a burst, if it may be.
Auth AuthorizeByValue(Device& device, const KeyRef& key);

}  // namespace keyscope::tpm::tss
