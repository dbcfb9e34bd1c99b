// NV memory, as far as others have written it: what a TPM's maker leaves there.
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// Both within Device::Operate.

// What the index holds; empty when it is not there, or nobody has written it. Fault::Denied when
// neither its own empty auth value nor the owner's may read it.
Bytes ReadNv(Device& device, TPM2_HANDLE index);
// The indices from `first` to `last` that there are, ascending.
std::vector<TPM2_HANDLE> NvIndices(Device& device, TPM2_HANDLE first, TPM2_HANDLE last);

}  // namespace keyscope::tpm::tss
