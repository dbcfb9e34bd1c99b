// Big numbers: OpenSSL's, with our byte strings at both ends.
#pragma once

#include "base/bytes.h"
#include "base/ossl.h"

namespace keyscope::crypto {

ossl::BnCtx NewBnCtx();
ossl::Bn NewNumber();
using ossl::Number;
// Marked for OpenSSL's constant-time paths.
ossl::Bn SecretNumber(ByteView bytes);
// In exactly `size` bytes. The number must fit.
Bytes ToBytes(const BIGNUM* number, size_t size);

}  // namespace keyscope::crypto
