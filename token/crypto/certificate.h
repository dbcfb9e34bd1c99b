// The fields of an X.509 certificate that become attributes of its object.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace keyscope::crypto {

// Each field as it stands in the certificate, DER with tag and length (RFC 5280, section 4.1).
struct CertificateFields {
  Bytes subject, issuer, serial, public_key_info;
};
// nullopt unless `der` is exactly one certificate in form. Nothing is verified, and the key may be
// of an algorithm that the module does not know.
std::optional<CertificateFields> ParseCertificate(ByteView der);

}  // namespace keyscope::crypto
