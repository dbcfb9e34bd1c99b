// keyscope ak certificate
#include <openssl/x509.h>

#include "base/ossl.h"
#include "cli/collect.h"
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/public_key.h"

namespace keyscope::cli {
namespace {

using X509Ptr = std::unique_ptr<X509, ossl::Deleter<X509_free>>;

X509Ptr Parse(ByteView der) {
  const uint8_t* at = der.data();
  X509Ptr certificate(X509_new_ex(ossl::Context(), nullptr));
  X509* place = certificate.get();
  if (d2i_X509(&place, &at, static_cast<long>(der.size())) == nullptr) {
    // d2i frees what it was given.
    static_cast<void>(certificate.release());
    throw UsageError("the file holds something that is no certificate: " + ossl::TakeError());
  }
  return certificate;
}

Bytes DerOf(const X509_NAME* name) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  if (X509_NAME_get0_der(name, &der, &size) != 1) return {};
  return {der, der + size};
}

struct Certificate {
  KeyOptions key;
  std::string store;

  void AddTo(CLI::App& app);
  void Run(Context& context) const;

 private:
  void Store(const Session& session, CK_OBJECT_HANDLE ak) const;
};

void Certificate::AddTo(CLI::App& app) {
  key.AddTo(app);
  app.add_option("--store", store, "PEM file to keep: the AK's certificate, then its issuers'");
}

void Certificate::Store(const Session& session, CK_OBJECT_HANDLE ak) const {
  const auto chain = CertificatesOfPem(ReadFile(store));
  if (chain.empty()) throw UsageError(store + " holds no PEM certificates");
  const X509Ptr first = Parse(chain.front());
  const EVP_PKEY* key_of_first = X509_get0_pubkey(first.get());
  if (key_of_first == nullptr || ToSpki(*key_of_first) != session.GetOr(ak, CKA_PUBLIC_KEY_INFO))
    throw Failure("the first certificate of " + store + " is for another key");
  const std::string name = LabelOf(session, ak);
  for (size_t i = 0; i < chain.size(); ++i) {
    const X509Ptr parsed = Parse(chain[i]);
    Attributes attributes;
    attributes.AddUlong(CKA_CLASS, CKO_CERTIFICATE).AddBool(CKA_TOKEN, true);
    attributes.AddUlong(CKA_CERTIFICATE_TYPE, CKC_X_509).AddBool(CKA_PRIVATE, false);
    attributes.Add(CKA_LABEL, i == 0 ? name : name + " issuer " + std::to_string(i));
    attributes.Add(CKA_SUBJECT, ByteView(DerOf(X509_get_subject_name(parsed.get()))));
    attributes.Add(CKA_VALUE, ByteView(chain[i]));
    if (i == 0) attributes.Add(CKA_ID, ByteView(session.GetOr(ak, CKA_ID)));
    const auto values = attributes.Template();
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    session.module().Check(session.module().call().C_CreateObject(session.handle(), values.data(),
                                                                  values.size(), &made),
                           "C_CreateObject");
  }
}

void Certificate::Run(Context& context) const {
  const Uri uri = key.ResolveOne(context);
  const auto session = context.Login(uri.scope(), uri);
  const CK_OBJECT_HANDLE ak = FindKey(*session, uri, KeyKind::Ak);
  if (!store.empty()) Store(*session, ak);
  std::string pem;
  for (const Bytes& der : CertificatesOf(*session, ak)) pem += ToPem("CERTIFICATE", der);
  if (pem.empty())
    throw Failure("the token holds no certificate of '" + LabelOf(*session, ak) + "'");
  if (context.json)
    context.Answer({{"certificates", pem}});
  else
    Context::Write(pem, "");
}

}  // namespace

void AddCertificate(CLI::App& group, Context& context) {
  AddCommand<Certificate>(group, context, "certificate",
                          "Print its certificate chain as PEM, or store one");
}

}  // namespace keyscope::cli
