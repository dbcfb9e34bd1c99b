// The TPM commands of attestation (TPM 2.0 Part 3), one function each. All throw what Execute
// throws. `nonce` goes into the statement as its extraData.
#pragma once

#include "tpm/tss/commands.h"

namespace keyscope::tpm::tss {

// Section 18. The signer's scheme is the one in its public area.
Statement Certify(const Channel& channel, const Object& subject, Auth subject_auth,
                  const Object& signer, Auth signer_auth, ByteView nonce);
Statement CertifyCreation(const Channel& channel, const Object& signer, Auth auth,
                          const Object& subject, const Creation& creation, ByteView nonce);
Statement Quote(const Channel& channel, const Object& signer, Auth auth,
                const TPML_PCR_SELECTION& pcrs, ByteView nonce);

// Section 12.5. `endorsement_auth` is of a policy session.
SecretBytes ActivateCredential(const Channel& channel, const Object& ak, Auth ak_auth,
                               const Object& endorsement, Auth endorsement_auth,
                               const TPM2B_ID_OBJECT& id_object,
                               const TPM2B_ENCRYPTED_SECRET& secret);

// Section 23.4: `policy` meets PolicySecret(`hierarchy`).
void PolicySecret(const Channel& channel, TPM2_HANDLE hierarchy, Auth auth, const Session& policy);

// Section 31. An index and its Name as the TPM tells it; nullopt when it is not defined.
struct NvIndex {
  Object object;
  TPMS_NV_PUBLIC area{};
};
std::optional<NvIndex> NvReadPublic(const Channel& channel, TPM2_HANDLE index);
Bytes NvRead(const Channel& channel, const Object& entity, Auth auth, const NvIndex& index,
             uint16_t size, uint16_t offset);

}  // namespace keyscope::tpm::tss
