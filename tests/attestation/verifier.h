// What a remote party does with evidence: the checks of go-attestation's CheckAKParameters and
// CertificationParameters.Verify, written from TPM 2.0 Part 2. Shares no code with the signer.
#pragma once

#include "tests/attestation/attestation_fixture.h"

namespace keyscope::test {

// TPMA_OBJECT (section 8.3).
inline constexpr uint32_t kFixedTpm = 1 << 1, kFixedParent = 1 << 4, kDataOrigin = 1 << 5,
                          kUserWithAuth = 1 << 6, kRestricted = 1 << 16, kSignBit = 1 << 18;

// The fields of a TPMT_PUBLIC (section 12.2.4). Throws std::runtime_error.
struct PublicArea {
  uint32_t attributes = 0;
  tpm::PublicKey key;
};
PublicArea ParsePublic(ByteView tpmt_public);

// Each gives the name of the first check that fails; empty: the evidence is good.
// An AK: its creation, certified by itself.
std::string CheckAk(const Evidence& ak, ByteView nonce);
// A key's certificate by an AK.
std::string CheckKey(ByteView ak_public, ByteView key_public, const tpm::Statement& statement,
                     ByteView nonce);
// The scope of a key, from the creation certified by an AK (an AK's own: by itself).
std::string CheckScope(ByteView ak_public, const Evidence& key, std::string_view outside_info);

}  // namespace keyscope::test
