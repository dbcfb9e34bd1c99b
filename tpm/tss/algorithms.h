// Our names for hashes and curves beside the TPM's (TPM 2.0 Part 2, tables of TPM_ALG_ID,
// TPM_ECC_CURVE).
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <optional>

#include "tpm/types.h"

namespace keyscope::tpm::tss {

TPM2_ALG_ID AlgOf(Hash hash);  // TPM2_ALG_NULL for one that the TPM has no number for
std::optional<Hash> HashOf(TPM2_ALG_ID alg);
TPM2_ALG_ID AlgOf(AesMode mode);
TPM2_ECC_CURVE IdOf(Curve curve);
std::optional<Curve> CurveOf(TPM2_ECC_CURVE id);

}  // namespace keyscope::tpm::tss
