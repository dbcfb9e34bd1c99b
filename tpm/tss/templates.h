// The public areas of what we make in the TPM.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "tpm/types.h"

namespace keyscope::tpm::tss {

// The TCG's ECC P-256 storage root (TCG TPM v2.0 Provisioning Guidance, section 7.5.1).
TPMT_PUBLIC StorageRootTemplate();
// A sealed secret, under dictionary-attack protection.
TPMT_PUBLIC SealedTemplate();
// A key for signing and for decryption or agreement, with the null scheme. Fault::BadInput for a
// size that no template can hold.
TPMT_PUBLIC KeyTemplate(const KeySpec& spec);
// The same for a key from outside: not fixedTPM, fixedParent or sensitiveDataOrigin.
TPMT_PUBLIC ImportTemplate(const PublicKey& key);

// Whether `area` can be the parent of keys: a fixed restricted decryption key.
bool IsStorageRoot(const TPMT_PUBLIC& area);

}  // namespace keyscope::tpm::tss
