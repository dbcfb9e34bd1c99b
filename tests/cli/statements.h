// Statements as a TPM would make them, in software: written from TPM 2.0 Part 2, so that each field
// can be made wrong. Shares no code with the verifier.
#pragma once

#include <cstdint>
#include <string>

#include "base/ossl.h"
#include "cli/evidence.h"

namespace keyscope::test {

inline constexpr uint32_t kMade = 0x00000072;  // fixedTPM, fixedParent, sensitiveDataOrigin,
                                               // userWithAuth
inline constexpr uint32_t kRestrictedSign = 0x00050000;
inline constexpr uint32_t kSignDecrypt = 0x00060000;

struct SoftwareKey {
  ossl::Pkey pkey;
  bool rsa = false;
  uint32_t attributes = 0;
  bool with_scheme = false;  // RSASSA or ECDSA with SHA-256 in the public area, as AKs have

  Bytes PublicArea() const;  // TPMT_PUBLIC
  Bytes Name() const;
  Bytes Sign(const Bytes& data) const;  // TPMT_SIGNATURE
};
SoftwareKey RsaKey(uint32_t attributes, bool with_scheme, unsigned bits = 2048);
SoftwareKey EcKey(uint32_t attributes, bool with_scheme, const char* curve = "P-256");

struct AttestFields {
  uint32_t magic = 0xff544347;
  uint16_t type = 0x8017;
  Bytes extra_data{};
  Bytes name{},
      second{};  // the attested structure: Name and qualified name, or Name and creation hash
};
Bytes MakeAttest(const AttestFields& fields);  // TPMS_ATTEST
Bytes MakeQuote(const Bytes& extra_data, const Bytes& pcr_digest);

Bytes MakeCreationData(const std::string& outside_info);
Bytes Sha256(const Bytes& data);

// What a good module would have made, for a test to spoil.
cli::Evidence GoodAk(const SoftwareKey& ak, const std::string& outside_info);
cli::Evidence GoodKey(const SoftwareKey& ak, const SoftwareKey& key, const Bytes& nonce,
                      const std::string& outside_info);

}  // namespace keyscope::test
