// Wrapping a private key from outside, so that only the storage root can read it (Part 1, section
// 23).
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::tpm::tss {

// What TPM2_Import takes: the outer wrapper's duplicate and seed, no inner wrapper.
struct Duplicate {
  TPM2B_PUBLIC area{};
  TPM2B_PRIVATE sensitive{};
  TPM2B_ENCRYPTED_SECRET seed{};
};

// `auth` becomes the key's auth value.
Duplicate WrapForImport(const TPMT_PUBLIC& root, const PrivateKey& key, const SecretBytes& auth);

}  // namespace keyscope::tpm::tss
