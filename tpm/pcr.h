// PCRs as text, as tpm2-tools write them: a bank and its PCRs, "sha256:0,7".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tpm/types.h"

namespace keyscope::tpm {

// Ascending.
std::string ToText(const PcrSelection& selection);
// Nullopt: another bank than SHA-1, SHA-256, SHA-384 or SHA-512, no PCR, one above 23, or anything
// else behind them.
std::optional<PcrSelection> ParsePcrs(std::string_view text);

}  // namespace keyscope::tpm
