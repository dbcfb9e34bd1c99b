// Evidence out of a token: what the module keeps with AKs and the keys that they attest.
#pragma once

#include "cli/context.h"
#include "cli/evidence.h"
#include "cli/keys.h"

namespace keyscope::cli {

// The statements of birth.
Evidence EvidenceOfAk(const Session& session, CK_OBJECT_HANDLE ak);
// Failure for a key that no AK attests.
Evidence EvidenceOfKey(const Session& session, CK_OBJECT_HANDLE key);

// The same key with a fresh statement over `nonce`, by the AK that attested it. Failure when the AK
// has gone.
Evidence Recertify(const Session& session, CK_OBJECT_HANDLE key, ByteView nonce);

// A statement about the PCRs (bit i: PCR i) of a bank.
Evidence Quote(const Session& session, CK_OBJECT_HANDLE ak, CK_MECHANISM_TYPE bank, CK_ULONG pcrs,
               ByteView nonce);

}  // namespace keyscope::cli
