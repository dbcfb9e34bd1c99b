// The policy of a key that is bound to PCRs: TPM2_PolicyPCR, then TPM2_PolicyAuthValue (TPM 2.0
// Part 3, sections 23.7 and 23.17), computed here as the TPM does.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "tpm/types.h"

namespace keyscope::tpm::tss {

// Fault::Unsupported for a bank that TPM 2.0 has no number for, BadInput for a PCR above 23.
TPML_PCR_SELECTION ListOf(const PcrSelection& selection);

// What TPM2_PolicyPCR compares in our sessions: the values' SHA-256 digest.
Bytes DigestOf(const PcrState& state);
// The authPolicy of a key whose nameAlg is SHA-256.
Bytes PolicyFor(const PcrState& state);

}  // namespace keyscope::tpm::tss
