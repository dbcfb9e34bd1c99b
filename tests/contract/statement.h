// A verifier of what AKs state, written from TPM 2.0 Part 2. It shares no code with tpm/ but the
// types.
#pragma once

#include "tpm/types.h"

namespace keyscope::test {

// TPMS_ATTEST (section 10.12.12).
struct Attested {
  uint32_t magic = 0;
  uint16_t type = 0;  // TPM_ST_ATTEST_*
  Bytes extra_data;
  Bytes name;           // of the certified or created object
  Bytes creation_hash;  // of creation statements
  // Of quotes, with one bank:
  uint16_t bank = 0;
  uint32_t pcrs = 0;
  Bytes pcr_digest;
};
constexpr uint32_t kGenerated = 0xff544347;
constexpr uint16_t kCertify = 0x8017, kQuote = 0x8018, kCreation = 0x801A;

// Throws std::runtime_error for what does not decode, or has a byte too many.
Attested ParseAttest(ByteView attest);
// outsideInfo of TPMS_CREATION_DATA (section 15.1).
Bytes OutsideInfoOf(ByteView creation_data);
// The Name of what a TPMT_PUBLIC describes, whose nameAlg is SHA-256.
Bytes NameFor(ByteView tpmt_public);
Bytes Sha256(ByteView data);

// Whether the TPMT_SIGNATURE (RSASSA or ECDSA, SHA-256) is `key`'s over the TPMS_ATTEST.
bool IsSignedBy(const tpm::PublicKey& key, const tpm::Statement& statement);

}  // namespace keyscope::test
