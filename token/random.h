// Random bytes for which both the TPM and this machine would have to be weak.
#pragma once

#include "base/secret.h"

namespace keyscope {
namespace tpm {
class Backend;
}

namespace token {

// `size` bytes of the TPM's, which the bus shows, combined with as many of the host's, which it
// does not. Throws what Backend::Random does.
SecretBytes Random(tpm::Backend& backend, size_t size);

}  // namespace token
}  // namespace keyscope
