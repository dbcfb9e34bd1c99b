// Keys in the forms that other software writes: SubjectPublicKeyInfo (RFC 5280, section 4.1; the
// value of CKA_PUBLIC_KEY_INFO) and PKCS #8 PrivateKeyInfo (RFC 5958; what C_UnwrapKey finds).
#pragma once

#include <optional>

#include "tpm/types.h"

namespace keyscope::crypto {

Bytes EncodePublicKeyInfo(const tpm::PublicKey& key);

// RSA (RFC 8017, RFC 3279) or EC on a known curve (RFC 5480). nullopt: malformed, numbers that are
// no key, or another algorithm.
std::optional<tpm::PublicKey> DecodePublicKeyInfo(ByteView der);
// The same for private keys (RFC 8017, RFC 5915). A public part that contradicts the private one is
// malformed.
std::optional<tpm::PrivateKey> DecodePrivateKeyInfo(ByteView der);

}  // namespace keyscope::crypto
