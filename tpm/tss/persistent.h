// Keys at persistent handles of the TPM.
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// All within Device::Operate; see Backend for each.
uint32_t FreePersistentHandle(Device& device);
void Persist(Device& device, const Root& root, const KeyRef& key, TPM2_HANDLE handle);
void Erase(Device& device, TPM2_HANDLE handle, ByteView name);

}  // namespace keyscope::tpm::tss
