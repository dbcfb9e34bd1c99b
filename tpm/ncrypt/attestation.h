// What attestation keys state, and the endorsement keys.
#pragma once

#include "tpm/ncrypt/device.h"
#include "tpm/ncrypt/provider.h"

namespace keyscope::tpm::ncrypt {

// What the provider keeps of an AK's birth: its property PCP_TPM12_IDBINDING.
void ReadBirth(NCRYPT_KEY_HANDLE ak, CreatedKey& made);
// Fault::BadInput when `ak` is none, or for a longer nonce than a TPM takes.
void CheckAttest(const KeyRef& ak, ByteView nonce);
Statement Certify(Device& device, const Provider& provider, const Root& root, const KeyRef& ak,
                  const KeyRef& key, ByteView nonce);
Statement Quote(Device& device, const Provider& provider, const Root& root, const KeyRef& ak,
                uint16_t bank, uint32_t pcrs, ByteView nonce);
// By the RSA endorsement key.
SecretBytes Activate(NCRYPT_KEY_HANDLE ak, ByteView id_object, ByteView encrypted_secret);
std::vector<Endorsement> ReadEndorsements(const Provider& provider);

}  // namespace keyscope::tpm::ncrypt
