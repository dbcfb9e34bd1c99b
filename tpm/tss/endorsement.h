// The endorsement keys and what the TPM's maker left beside them in NV memory (TCG EK Credential
// Profile for TPM 2.0, section 2.2 and annex B).
#pragma once

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// All within Device::Operate.

// An EK: the persistent one, else made from the template (the maker's own, where he left one), and
// then loaded as `EkId(type)` for the caller to forget. Fault::Unsupported or Denied when this TPM
// makes none.
StorageKey EndorsementKey(Device& device, EkType type);
Bytes EkId(EkType type);

Endorsement ReadEndorsement(Device& device, EkType type);

// See Backend::Endorsements and EndorsementChain.
std::vector<EkType> PresentTypes(Device& device);
std::vector<Bytes> ReadChain(Device& device);

// See Backend::ActivateCredential.
SecretBytes Activate(Device& device, const Root& root, const KeyRef& ak, EkType type,
                     const TPM2B_ID_OBJECT& id_object, const TPM2B_ENCRYPTED_SECRET& secret);

}  // namespace keyscope::tpm::tss
