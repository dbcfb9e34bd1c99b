// What this TPM can do, asked of the TPM (TPM2_GetCapability, TPM2_TestParms).
#pragma once

#include "tpm/tss/connection.h"
#include "tpm/types.h"

namespace keyscope::tpm::tss {

Facts AskFacts(Connection& connection);
Lockout AskLockout(Connection& connection);

}  // namespace keyscope::tpm::tss
