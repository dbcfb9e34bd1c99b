// keyscope key certificate, keyscope ak certificate
#include "cli/certificates.h"
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

X509Ptr Parse(ByteView der) {
  X509Ptr certificate = ParseX509(der);
  if (certificate == nullptr) throw UsageError("the file holds something that is no certificate");
  return certificate;
}

struct Chain {
  explicit Chain(KeyKind of) : kind(of) {}

  KeyKind kind;
  KeyOptions key;
  std::string store;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  void Store(const Session& from, CK_OBJECT_HANDLE key_handle, const Session& to) const;
};

void Chain::AddTo(Arguments args) {
  key.AddTo(args);
  args.Add("--store", store,
           "PEM file to keep: the key's certificate, then its issuers'; in the key's slot, or "
           "in the URI's store-location");
}

// `from`: the key's token; `to`: where the certificates go.
void Chain::Store(const Session& from, CK_OBJECT_HANDLE key_handle, const Session& to) const {
  const auto chain = CertificatesOption(store);
  std::vector<X509Ptr> parsed;
  for (const Bytes& der : chain) parsed.push_back(Parse(der));
  if (SpkiOf(*parsed.front()) != from.GetOr(key_handle, CKA_PUBLIC_KEY_INFO))
    throw Failure("the first certificate of " + store + " is for another key");
  const std::string name = LabelOf(from, key_handle);
  for (size_t i = 0; i < chain.size(); ++i) {
    Attributes attributes;
    attributes.AddUlong(CKA_CLASS, CKO_CERTIFICATE).AddBool(CKA_TOKEN, true);
    attributes.AddUlong(CKA_CERTIFICATE_TYPE, CKC_X_509).AddBool(CKA_PRIVATE, false);
    attributes.AddUlong(CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(from.scope()));
    attributes.Add(CKA_LABEL, i == 0 ? name : name + " issuer " + std::to_string(i));
    attributes.Add(CKA_SUBJECT, ByteView(SubjectOf(*parsed[i])));
    attributes.Add(CKA_VALUE, ByteView(chain[i]));
    if (i == 0) attributes.Add(CKA_ID, ByteView(from.GetOr(key_handle, CKA_ID)));
    if (!to.Find(attributes).empty()) continue;  // it is there already
    const auto values = attributes.Template();
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    to.module().Check(
        to.module().call().C_CreateObject(to.handle(), values.data(), LengthOf(values), &made),
        "C_CreateObject");
  }
}

void Chain::Run(Context& context) const {
  const Uri uri = key.ResolveOne(context);
  const auto session = context.Login(uri.scope(), uri);
  const CK_OBJECT_HANDLE handle = FindKey(*session, uri, kind);
  if (!store.empty()) {
    const bool elsewhere = uri.location() != uri.scope();
    const auto other = elsewhere ? context.Login(uri.location(), uri) : nullptr;
    Store(*session, handle, elsewhere ? *other : *session);
  }
  std::string pem;
  for (const Bytes& der : CertificatesOf(*session, handle)) pem += ToPem("CERTIFICATE", der);
  if (pem.empty())
    throw Failure("no token holds a certificate of '" + LabelOf(*session, handle) + "'");
  if (context.json)
    context.Answer({{"certificates", pem}});
  else
    Context::Write(pem, "");
}

}  // namespace

void AddChain(Arguments group, Context& context, KeyKind kind) {
  AddCommand(group, context, "certificate", "Print its certificate chain as PEM, or store one",
             Chain(kind));
}

}  // namespace keyscope::cli
