// Public keys as OpenSSL objects, for what a backend computes on the host: salts, wrapping, checks.
#pragma once

#include "base/ossl.h"
#include "tpm/types.h"

namespace keyscope::tpm {

// Fault::BadInput for values that are no key, such as a point off the curve.
ossl::Pkey ToPkey(const PublicKey& key);

// A new EC key pair on `curve`.
ossl::Pkey GenerateEc(Curve curve);
// The public point of an EC key.
EcPublic PointOf(const EVP_PKEY& key, Curve curve);
// The x coordinate of the shared point (SP 800-56A, section 5.7.1.2), as long as the field.
SecretBytes SharedX(EVP_PKEY& own, EVP_PKEY& peer);

}  // namespace keyscope::tpm
