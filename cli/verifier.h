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
  std::optional<Bytes> nonce{};    // the qualifying data of the last statement
  std::optional<Bytes> ak_name{};  // the Name of the AK that is trusted
  std::vector<Bytes> cas{};        // certificates, DER: who may have certified the AK
  // Of a quote; each is one that its text names as tpm2-tools do, the banks ascending.
  std::string selection{};                    // "sha256:0,7": the PCRs that it is to be of
  std::optional<Bytes> pcr_digest{};          // their digest
  std::map<std::string, Bytes> pcr_values{};  // or the value of each: "sha256:7"

  bool HasPcrs() const { return !selection.empty() || pcr_digest || !pcr_values.empty(); }
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
