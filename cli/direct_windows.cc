#include "base/error.h"
#include "cli/direct.h"

namespace keyscope::cli {

void Direct::Reach() {
  if (!backend_->Present())
    throw Error(Fault::DeviceGone, "the Platform Crypto Provider finds no TPM");
}

// Windows makes the root, so there always is one.
std::optional<Bytes> Direct::StorageRootName() { return backend_->EnsureRoot().name; }
bool Direct::StillMakes(const store::TokenRow&) { return true; }

}  // namespace keyscope::cli
