#include "cli/certificates.h"

#include <algorithm>

#include "cli/keys.h"

namespace keyscope::cli {
namespace {

constexpr size_t kLongestChain = 10;

bool IsAsTheUriSays(const X509& certificate, const Uri& uri) {
  const std::string& issuer = uri.certificate_issuer;
  return (uri.certificate_sha1.empty() || Sha1Of(certificate) == uri.certificate_sha1) &&
         (uri.certificate_serial.empty() || SerialOf(certificate) == uri.certificate_serial) &&
         (issuer.empty() || IssuerNameOf(certificate) == issuer ||
          IssuerTextOf(certificate) == issuer);
}

// The certificate with this CKA_ID in the token that is for a key of `key_scope`, and its issuers.
std::vector<Bytes> ChainIn(const Session& session, const Bytes& id, KeyScope key_scope) {
  std::vector<Bytes> chain;
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, CKO_CERTIFICATE).Add(CKA_ID, ByteView(id));
  wanted.AddUlong(CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(key_scope));
  auto found = session.Find(wanted);
  while (!found.empty() && chain.size() < kLongestChain) {
    const CK_OBJECT_HANDLE certificate = found.front();
    chain.push_back(session.GetOr(certificate, CKA_VALUE));
    const Bytes issuer = session.GetOr(certificate, CKA_ISSUER);
    if (issuer.empty() || issuer == session.GetOr(certificate, CKA_SUBJECT)) break;
    Attributes of_issuer;
    of_issuer.AddUlong(CKA_CLASS, CKO_CERTIFICATE).Add(CKA_SUBJECT, ByteView(issuer));
    found = session.Find(of_issuer);
  }
  return chain;
}

}  // namespace

std::vector<Certificate> FindCertificates(const Session& session, const Uri& uri) {
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, CKO_CERTIFICATE).AddBool(CKA_TOKEN, true);
  if (!uri.name.empty()) wanted.Add(CKA_LABEL, uri.name);
  if (!uri.id.empty()) wanted.Add(CKA_ID, ByteView(uri.id));
  std::vector<Certificate> certificates;
  for (CK_OBJECT_HANDLE object : session.Find(wanted)) {
    Certificate one{.object = object, .location = session.scope(), .key_scope = session.scope()};
    if (session.GetBool(object, CKA_KEYSCOPE_ENDORSEMENT)) continue;
    one.der = session.GetOr(object, CKA_VALUE);
    one.x509 = ParseX509(one.der);
    if (one.x509 == nullptr || !IsAsTheUriSays(*one.x509, uri)) continue;
    if (const auto scope = session.GetUlong(object, CKA_KEYSCOPE_SCOPE))
      one.key_scope = static_cast<KeyScope>(*scope);
    certificates.push_back(std::move(one));
  }
  return certificates;
}

std::vector<Bytes> CertificatesOf(const Session& session, CK_OBJECT_HANDLE key) {
  const Bytes id = session.GetOr(key, CKA_ID);
  if (id.empty()) return {};
  auto chain = ChainIn(session, id, session.scope());
  const KeyScope other = OtherThan(session.scope());
  if (chain.empty() && session.module().TokenPresent(other))
    chain = ChainIn(Session(session.module(), other), id, session.scope());
  return chain;
}

Json Describe(const Session& session, const Certificate& certificate) {
  Json described = Json::object();
  described["name"] = LabelOf(session, certificate.object);
  described["location"] = Name(certificate.location);
  described["key_scope"] = Name(certificate.key_scope);
  if (const Bytes id = session.GetOr(certificate.object, CKA_ID); !id.empty())
    described["id"] = Hex(id);
  described["subject"] = SubjectTextOf(*certificate.x509);
  described["issuer"] = IssuerTextOf(*certificate.x509);
  described["serial"] = SerialOf(*certificate.x509);
  described["not_after"] = NotAfterOf(*certificate.x509);
  described["sha1"] = Hex(Sha1Of(*certificate.x509));
  return described;
}

}  // namespace keyscope::cli
