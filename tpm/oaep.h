// EME-OAEP (RFC 8017, section 7.1.1), for what the host encrypts to an RSA key: messages and the
// TPM's salts.
#pragma once

#include <optional>
#include <span>

#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::tpm {

// `block` XOR MGF1(seed) (section B.2.1), in place.
void XorMgf1(std::span<uint8_t> block, ByteView seed, Hash mgf);

// The encoded message of k bytes; nullopt when the message is too long.
std::optional<SecretBytes> PadOaep(Hash hash, Hash mgf, ByteView label, ByteView message, size_t k);

}  // namespace keyscope::tpm
