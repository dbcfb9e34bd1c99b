// The public keys of TPM objects in OpenSSL.
#pragma once

#include <string>

#include "base/ossl.h"
#include "cli/tpm_structures.h"

namespace keyscope::cli {

// Malformed for values that are no key, such as a point off the curve or an unknown curve.
ossl::Pkey ToPkey(const PublicArea& area);

// DER of its SubjectPublicKeyInfo.
Bytes ToSpki(const EVP_PKEY& key);

// Whether `signature` over `data` verifies with the scheme and hash in the key's public area, which
// must be RSASSA or ECDSA with SHA-2. Empty: it does; else why not.
std::string WhyNotSignedBy(const PublicArea& signer, ByteView data, ByteView signature);

}  // namespace keyscope::cli
