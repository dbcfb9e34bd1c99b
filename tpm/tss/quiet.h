#pragma once

namespace keyscope::tpm::tss {

// Keeps the TSS libraries' own messages off stderr, unless the environment asks for them
// (TSS2_LOG).
void SilenceTss();

}  // namespace keyscope::tpm::tss
