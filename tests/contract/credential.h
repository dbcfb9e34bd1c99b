// MakeCredential in software: what a remote party does (TPM 2.0 Part 1, section 24).
#pragma once

#include "tpm/types.h"

namespace keyscope::test {

struct Credential {
  Bytes id_object;         // TPM2B_ID_OBJECT
  Bytes encrypted_secret;  // TPM2B_ENCRYPTED_SECRET
};
Credential MakeCredential(const tpm::Endorsement& ek, ByteView ak_name, ByteView secret);

}  // namespace keyscope::test
