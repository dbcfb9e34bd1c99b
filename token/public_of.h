// Between attributes and public keys: one place that knows which attributes make a key.
#pragma once

#include "token/object.h"
#include "tpm/types.h"

namespace keyscope::token {

// The public key that a public or private key object holds. Throws Fault::Corrupt when its
// attributes are no key: they were checked when the object was made.
tpm::PublicKey PublicOf(const Object& object);
// The curve alone of an elliptic-curve key: no point is decoded.
tpm::Curve CurveOf(const Object& object);
// The object's own, or a new one.
std::shared_ptr<const crypto::SoftwareKey> SoftwareKeyOf(const Object& object);
// Writes the attributes of a public key into an object's set: modulus, exponent, bits, or params
// and point, and CKA_PUBLIC_KEY_INFO; those that `kind` has.
void SetPublic(AttributeSet& attributes, Kind kind, const tpm::PublicKey& key);

}  // namespace keyscope::token
