// The NIST curves: their names on the wire, points and scalars.
#pragma once

#include <array>
#include <optional>

#include "base/ossl.h"
#include "tpm/types.h"

namespace keyscope::crypto {

struct CurveInfo {
  tpm::Curve curve;
  int nid;
  std::array<std::string_view, 3> names;  // of SEC 2, of X9.62 and of FIPS 186, where there is one
  ByteView oid;                           // DER, with tag and length
  unsigned bits;

  size_t field_size() const { return tpm::FieldSize(curve); }  // in bytes
};

const CurveInfo& Info(tpm::Curve curve);
const EC_GROUP* Group(tpm::Curve curve);

// CKA_EC_PARAMS: the namedCurve, or the curveName of PKCS#11 3.0 (section 6.3.3). Explicit
// parameters, other curves and garbage are nullopt.
std::optional<tpm::Curve> CurveFromParams(ByteView der);
Bytes ParamsOf(tpm::Curve curve);  // as namedCurve

// A point of the curve, not infinity: uncompressed or compressed (SEC 1, section 2.3), raw or in a
// DER OCTET STRING as in CKA_EC_POINT.
std::optional<tpm::EcPublic> DecodePoint(tpm::Curve curve, ByteView encoded);
Bytes EncodePoint(const tpm::EcPublic& key);  // uncompressed, in a DER OCTET STRING
Bytes RawPoint(const tpm::EcPublic& key);     // uncompressed: 04 x y

// A private scalar as any number of big-endian bytes: nullopt when it is not in [1, n-1].
std::optional<tpm::EcPrivate> PrivateFromScalar(tpm::Curve curve, ByteView scalar);

}  // namespace keyscope::crypto
