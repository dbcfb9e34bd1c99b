// What this TPM can do, asked of the TPM (TPM2_GetCapability, TPM2_TestParms).
#pragma once

#include "tpm/tss/connection.h"
#include "tpm/types.h"

namespace keyscope::tpm::tss {

Facts AskFacts(const Channel& channel);
Lockout AskLockout(const Channel& channel);

}  // namespace keyscope::tpm::tss
