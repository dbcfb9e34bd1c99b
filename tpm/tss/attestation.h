// What an attestation key states.
#pragma once

#include "tpm/tss/attest_commands.h"
#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// All within Device::Operate; see Backend for each.

// The statements of `key`'s birth: of its creation, and with `certify` of itself. `ak` may be
// `key`.
CreatedKey CertifyBirth(Device& device, const Root& root, const KeyRef& ak, const KeyRef& key,
                        const Creation& creation, bool certify, ByteView nonce);
Statement Certify(Device& device, const Root& root, const KeyRef& ak, const KeyRef& key,
                  ByteView nonce);
Statement Quote(Device& device, const Root& root, const KeyRef& ak, const PcrSelection& pcrs,
                ByteView nonce);

}  // namespace keyscope::tpm::tss
