// Keys and signatures as the vectors write them. The module takes raw numbers and points, so the
// driver decodes what surrounds them, strictly: what is not minimal DER of the right shape is
// nullopt.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "tests/wycheproof/vectors.h"

namespace keyscope::wycheproof {

// The OBJECT IDENTIFIER (CKA_EC_PARAMS) of a curve by its name in SEC 2 or FIPS 186. Throws Skip
// for others than the NIST curves.
Bytes CurveParams(const std::string& name);

struct EcPoint {
  Bytes params;  // the curve's OBJECT IDENTIFIER
  Bytes point;   // as in the BIT STRING
};
std::optional<EcPoint> PointOfPublicKeyInfo(ByteView der);  // RFC 5480
std::optional<Bytes> ScalarOfPrivateKeyInfo(ByteView der);  // RFC 5208 around RFC 5915
std::optional<Bytes> FromPem(const std::string& pem);       // the DER within
Bytes FromBase64Url(const std::string& text);               // RFC 4648, section 5
std::optional<EcPoint> PointOfJwk(const Json& jwk);         // RFC 7518, section 6.2

// SEQUENCE { r, s } as r || s, each of `size` bytes.
std::optional<Bytes> EcdsaFromDer(ByteView der, size_t size);

// The bytes of a number modulo the curve's order.
size_t OrderSize(ByteView params);

}  // namespace keyscope::wycheproof
