// Secrets that the host shares with a storage key of the TPM: session salts and the seeds of import
// and of credentials (TPM 2.0 Part 1, annexes B.10 and C.6).
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "base/secret.h"

namespace keyscope::tpm::tss {

// As long as the digest of the key's name algorithm.
struct SharedSecret {
  SecretBytes secret;
  TPM2B_ENCRYPTED_SECRET encrypted{};
};

// A fresh secret that only the holder of a storage key's private half can read: by OAEP for RSA
// (annex B.10.4), by an ephemeral key and KDFe for ECC (annex C.6.4).
SharedSecret NewSecretFor(const TPMT_PUBLIC& storage_key, const char* label);

}  // namespace keyscope::tpm::tss
