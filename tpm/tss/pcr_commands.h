// The TPM's commands about PCRs and the policy made of them (TPM 2.0 Part 3, sections 22 and 23).
// All throw what Execute throws.
#pragma once

#include <span>
#include <vector>

#include "tpm/tss/connection.h"
#include "tpm/tss/session.h"

namespace keyscope::tpm::tss {

struct PcrReading {
  uint32_t update_counter = 0;
  TPML_PCR_SELECTION selection{};  // what was read: a TPM gives at most 8 at once
  TPML_DIGEST values{};            // ascending
};
// `auths`: sessions that audit the command, or none.
PcrReading PcrRead(const Channel& channel, const TPML_PCR_SELECTION& selection,
                   std::span<const Auth> auths);

// TPM2_RC_VALUE of a parameter when the PCRs' digest is another one.
void PolicyPcr(const Channel& channel, const Session& policy, const TPML_PCR_SELECTION& selection,
               ByteView digest);
void PolicyAuthValue(const Channel& channel, const Session& policy);

}  // namespace keyscope::tpm::tss
