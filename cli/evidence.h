// Evidence: what a remote party gets to verify, as JSON bundles. The four fields at the top are
// those of go-attestation's AttestationParameters (an AK) and CertificationParameters (a key), in
// base64 as Go reads them; what Keyscope adds is inside "keyscope".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/scope.h"
#include "cli/json.h"

namespace keyscope::cli {

// What an AK signed: TPMS_ATTEST and TPMT_SIGNATURE.
struct Statement {
  Bytes attest, signature;

  bool empty() const { return attest.empty() && signature.empty(); }
};

struct AkEvidence {
  Bytes public_area;    // TPMT_PUBLIC
  Bytes creation_data;  // TPMS_CREATION_DATA
  Statement creation;   // TPM2_CertifyCreation, signed by the AK itself
};

struct KeyEvidence {
  Bytes public_area;
  Bytes creation_data;
  Statement certify;   // TPM2_Certify by the AK; empty when only the creation was stated
  Statement creation;  // TPM2_CertifyCreation by the AK: proves the scope
};

struct QuoteEvidence {
  Statement quote;  // TPM2_Quote by the AK
};

struct Evidence {
  enum class Kind { Ak, Key, Quote };

  Kind kind = Kind::Ak;
  std::string name;                 // the object's, for people
  std::string uri;                  // likewise
  std::optional<KeyScope> scope;    // what the statements are to prove
  AkEvidence ak;                    // of a key or a quote: empty where the AK has gone
  Bytes ak_public;                  // TPMT_PUBLIC of the AK that signed
  KeyEvidence key;                  // of a key
  QuoteEvidence quote;              // of a quote
  std::vector<Bytes> certificates;  // of the AK, DER, its own first
};

Json ToJson(const Evidence& evidence);
// Throws Malformed for what is no such bundle. go-attestation's own parameters read as well: those
// of an AK have a statement of creation, those of a key one of certification.
Evidence EvidenceFromJson(const std::string& text);

}  // namespace keyscope::cli
