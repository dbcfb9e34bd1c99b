// Read here and not by OpenSSL's X509, which decodes the key as well and asks the process's engines
// for it.
#include "token/crypto/certificate.h"

#include "token/crypto/der.h"

namespace keyscope::crypto {

std::optional<CertificateFields> ParseCertificate(ByteView der) {
  auto certificate = der::Only(der::kSequence, der);
  if (!certificate) return std::nullopt;
  der::Reader outer(*certificate);
  auto tbs = outer.Content(der::kSequence);
  auto signature_algorithm = outer.Content(der::kSequence);
  auto signature = outer.Content(der::kBitString);
  if (!tbs || !signature_algorithm || !signature || !outer.Done()) return std::nullopt;

  der::Reader reader(*tbs);
  if (reader.At(der::Context(0)) && !reader.Content(der::Context(0))) return std::nullopt;
  auto serial = reader.Whole(der::kInteger);
  auto algorithm = reader.Whole(der::kSequence);
  auto issuer = reader.Whole(der::kSequence);
  auto validity = reader.Whole(der::kSequence);
  auto subject = reader.Whole(der::kSequence);
  auto public_key_info = reader.Whole(der::kSequence);
  if (!serial || !algorithm || !issuer || !validity || !subject || !public_key_info)
    return std::nullopt;
  return CertificateFields{Copy(*subject), Copy(*issuer), Copy(*serial), Copy(*public_key_info)};
}

}  // namespace keyscope::crypto
