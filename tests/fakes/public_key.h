// Public keys as OpenSSL objects, for what the fake backend and the tests compute.
#pragma once

#include "base/ossl.h"
#include "tpm/types.h"

namespace keyscope::test {

// Fault::BadInput for values that are no key, such as a point off the curve.
ossl::Pkey ToPkey(const tpm::PublicKey& key);

// A new EC key pair on `curve`.
ossl::Pkey GenerateEc(tpm::Curve curve);
// The public point of an EC key.
tpm::EcPublic PointOf(const EVP_PKEY& key, tpm::Curve curve);
// The x coordinate of the shared point (SP 800-56A, section 5.7.1.2), as long as the field.
SecretBytes SharedX(EVP_PKEY& own, EVP_PKEY& peer);

}  // namespace keyscope::test
