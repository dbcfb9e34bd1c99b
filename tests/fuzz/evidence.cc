// Evidence bundles: read, verified (never with success: nobody forges by chance) and written.
#include "cli/evidence.h"

#include "cli/tpm_structures.h"
#include "cli/verifier.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace keyscope::cli;
  try {
    const Evidence evidence =
        EvidenceFromJson(std::string(reinterpret_cast<const char*>(data), size));
    Verify(evidence, {.nonce = keyscope::Bytes(8, 1), .scope = keyscope::KeyScope::User});
    EvidenceFromJson(ToJson(evidence).dump());
  } catch (const Malformed&) {
  }
  return 0;
}
