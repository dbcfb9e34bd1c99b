// The WebAuthn `tpm` attestation statement (Web Authentication Level 2, section 8.3), as ACME's
// device-attest-01 sends it.
#pragma once

#include "base/bytes.h"
#include "cli/evidence.h"

namespace keyscope::cli {

// CBOR of {fmt, attStmt}: the key's statement, whose extraData is the hash of the key
// authorization, with the AK's certificates (`x5c`). Throws Failure without certificates, or when
// the evidence is not of a key.
Bytes WebauthnStatement(const Evidence& evidence);

}  // namespace keyscope::cli
