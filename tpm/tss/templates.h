// The public areas of what we make in the TPM.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "tpm/types.h"

namespace keyscope::tpm::tss {

// The TCG's ECC P-256 storage root (TCG TPM v2.0 Provisioning Guidance, section 7.5.1).
TPMT_PUBLIC StorageRootTemplate();
// The same as the parent in key files: its unique is empty ("ASN.1 Specification for TPM 2.0 Key
// Files", section 3.1.8).
TPMT_PUBLIC KeyFileRootTemplate();
// A sealed secret, under dictionary-attack protection.
TPMT_PUBLIC SealedTemplate();
// What KeySpec describes. Fault::Unsupported for a size that no template can hold, or an AK of
// another one than is meant for AKs.
TPMT_PUBLIC KeyTemplate(const KeySpec& spec);
// AES of a mode; TPM2_ALG_NULL: of the mode that each command names.
TPMT_SYM_DEF_OBJECT AesOf(unsigned bits, TPM2_ALG_ID mode);
// What SecretSpec describes; `drawn`: the TPM is to draw the value.
TPMT_PUBLIC SecretTemplate(const SecretSpec& spec, bool drawn);
// The same as KeyTemplate for a key from outside: not fixedTPM, fixedParent or sensitiveDataOrigin.
TPMT_PUBLIC ImportTemplate(const PublicKey& key);

// The TCG's templates (EK Credential Profile 2.x, annexes B.3 and B.4).
TPMT_PUBLIC EndorsementTemplate(EkType type);
// Puts the maker's nonce into `unique`.
void SetNonce(TPMT_PUBLIC& area, ByteView nonce);
// Whether `area` is an EK of that algorithm and size which we can authorize: with its auth value,
// which is empty, or by the policy of the low range's templates.
bool IsEndorsementKey(const TPMT_PUBLIC& area, EkType type);

// Fault::Unsupported for a key that is not as Backend::Adopt wants it, with the reason.
void CheckAdoptable(const TPMT_PUBLIC& area);
// Whether `area` can be the parent of keys: a fixed restricted decryption key.
bool IsStorageRoot(const TPMT_PUBLIC& area);

}  // namespace keyscope::tpm::tss
