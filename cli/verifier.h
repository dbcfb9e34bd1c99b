// Verifies evidence offline: no TPM, no module, OpenSSL only. The checks are those of
// go-attestation (an AK's creation, a key's certification), and beyond them the scope, the nonce
// and the AK that is expected.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/evidence.h"

namespace keyscope::cli {

// What the verifier knows from elsewhere. What is absent is not checked, and noted.
struct Expected {
  std::optional<Bytes> nonce{};       // the qualifying data of the last statement
  std::optional<Bytes> ak_name{};     // the Name of the AK that is trusted
  std::vector<Bytes> cas{};           // certificates, DER: who may have certified the AK
  std::optional<Bytes> pcr_digest{};  // of a quote
  std::map<int, Bytes> pcrs{};        // of a quote: the values that the digest is to be of
  std::optional<KeyScope> scope{};
};

// One thing that a statement is to prove.
struct Finding {
  std::string statement;  // which one
  std::string proves;     // what it proves
  std::string why_not;    // empty: it does
};

struct Report {
  std::vector<Finding> findings;
  std::vector<std::string> notes;  // what was not checked, and what would
  Bytes ak_name, key_name;         // Names, as computed
  bool Verified() const;           // at least one finding, and all of them hold
};

// Throws nothing for bad evidence: that is a finding.
Report Verify(const Evidence& evidence, const Expected& expected);

}  // namespace keyscope::cli
