#include "base/error.h"
#include "cli/direct.h"

namespace keyscope::cli {

void Direct::Reach() {
  if (!backend_->Present())
    throw Error(Fault::DeviceGone, "the Platform Crypto Provider finds no TPM");
}

// The provider keeps the root to itself.
std::optional<Bytes> Direct::StorageRootName() { return std::nullopt; }
bool Direct::StillMakes(const store::TokenRow&) { return true; }

}  // namespace keyscope::cli
