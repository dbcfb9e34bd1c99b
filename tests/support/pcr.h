// PCRs of a software TPM, changed by the tests. Locality 0: TPM2_PCR_Extend takes PCR 0 to 16 and
// 23, TPM2_PCR_Reset 16 and 23.
#pragma once

#include "tests/support/tpm_proxy.h"

namespace keyscope::test {

// In the SHA-256 bank.
void ExtendPcr(TpmProxy& proxy, unsigned pcr);
// In all banks, to zeros.
void ResetPcr(TpmProxy& proxy, unsigned pcr);

}  // namespace keyscope::test
