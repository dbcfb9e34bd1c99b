// What the provider and its TPM can do.
#pragma once

#include "tpm/ncrypt/provider.h"

namespace keyscope::tpm::ncrypt {

Facts AskFacts(const Provider& provider);
Lockout AskLockout(const Provider& provider);

}  // namespace keyscope::tpm::ncrypt
