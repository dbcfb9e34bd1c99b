// X.509 certificates: read, described, and checked against a CA. OpenSSL only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ossl.h"

namespace keyscope::cli {

using X509Ptr = std::unique_ptr<X509, ossl::Deleter<X509_free>>;

// nullptr for what is no certificate.
X509Ptr ParseX509(ByteView der);

Bytes SubjectOf(const X509& certificate);  // DER of the Name
Bytes SpkiOf(const X509& certificate);     // DER of the SubjectPublicKeyInfo; empty: no known key
Bytes Sha1Of(const X509& certificate);     // the thumbprint that stores find it by
std::string SerialOf(const X509& certificate);      // in hexadecimal
std::string IssuerTextOf(const X509& certificate);  // as RFC 2253 writes it
std::string IssuerNameOf(const X509& certificate);  // its common name; empty: none
std::string SubjectTextOf(const X509& certificate);
std::string NotAfterOf(const X509& certificate);  // RFC 3339, UTC
bool HasExpired(const X509& certificate);

bool MaySign(const X509& certificate);  // as its key usage says, if it has one
// Whether its extended key usage is tcg-kp-AIKCertificate, as the TCG's profile for AKs wants it;
// nullopt: it has none, or is for any use.
std::optional<bool> IsForAk(const X509& certificate);

// Why `chain` (its first certificate, through the others) does not lead to one of `trusted`; empty:
// it does.
std::string WhyNotIssuedBy(const std::vector<Bytes>& chain, const std::vector<Bytes>& trusted);

}  // namespace keyscope::cli
