// keyscope certificate list, show, delete
#include "cli/certificates.h"

#include <algorithm>
#include <functional>

#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

// The options that name certificates: NAME, --id, --location, or --uri.
struct CertificateOptions {
  std::string name, id, location, uri;

  void AddTo(Arguments args);
  Uri Resolve() const;
};

void CertificateOptions::AddTo(Arguments args) {
  auto name_option = args.Add("name", name, "The certificate's name (CKA_LABEL)");
  args.Add("--id", id, "Its CKA_ID, in hexadecimal");
  args.Add("--location", location, "The slot that it is in: machine or user");
  args.Add("--uri", uri,
           "A URI instead: tpmkms: ones may have serial, issuer, sha1 and store-location")
      .Excludes(name_option);
}

Uri CertificateOptions::Resolve() const {
  Uri resolved = uri.empty() ? Uri{} : ParseUri(uri);
  if (!name.empty()) resolved.name = name;
  if (!id.empty()) resolved.id = HexOption("--id", id);
  if (!location.empty()) resolved.store_location = ParseScope(location);
  return resolved;
}

struct ListCertificates {
  CertificateOptions options;

  void AddTo(Arguments args) { options.AddTo(args); }
  void Run(Context& context) const;
};

void ListCertificates::Run(Context& context) const {
  const Uri uri = options.Resolve();
  const bool both = !uri.store_location && !uri.key_scope;
  Json certificates = Json::array(), notes = Json::array();
  for (KeyScope scope : kScopes) {
    if (!both && scope != uri.location()) continue;
    if (!(both ? context.HasToken(scope, notes) : context.HasToken(scope))) continue;
    const Session session(context.module(), scope);  // certificates are public
    const auto found = FindCertificates(session, uri);
    Progress progress =
        context.Watch("reading the " + std::string(Name(scope)) + " token", found.size());
    for (const Certificate& one : found) {
      certificates.push_back(Describe(session, one));
      progress.Step();
    }
  }
  Json answer = {{"certificates", std::move(certificates)}};
  if (!notes.empty()) answer["notes"] = std::move(notes);
  context.Answer(answer);
}

// The only certificate that the URI names.
Certificate FindCertificate(const Session& session, const Uri& uri) {
  if (uri.name.empty() && uri.id.empty() && !uri.NamesCertificate())
    throw UsageError("name the certificate: NAME, --id or --uri");
  auto found = FindCertificates(session, uri);
  const std::string in = " in the " + std::string(Name(session.scope())) + " slot";
  if (found.empty()) throw Failure("no such certificate" + in + "; --location names the other");
  // Any of several that are one and the same.
  if (std::ranges::adjacent_find(found, std::ranges::not_equal_to(), &Certificate::der) !=
      found.end())
    throw Failure(std::to_string(found.size()) + " such certificates" + in +
                  ": choose one by its sha1, as `keyscope certificate list` shows it");
  return std::move(found.front());
}

struct ShowCertificate {
  CertificateOptions options;

  void AddTo(Arguments args) { options.AddTo(args); }
  void Run(Context& context) const {
    const Uri uri = options.Resolve();
    const Session session(context.module(), uri.location());
    const Certificate found = FindCertificate(session, uri);
    Json shown = Describe(session, found);
    shown["certificate"] = ToPem("CERTIFICATE", found.der);
    context.Answer(shown);
  }
};

struct DeleteCertificate {
  CertificateOptions options;

  void AddTo(Arguments args) { options.AddTo(args); }
  void Run(Context& context) const {
    const Uri uri = options.Resolve();
    const auto session = context.Login(uri.location(), uri);
    const Certificate found = FindCertificate(*session, uri);
    const Json described = Describe(*session, found);
    session->Destroy(found.object);
    context.Answer({{"deleted", described}});
  }
};

}  // namespace

void AddCertificates(Arguments program, Context& context) {
  Arguments group = program.AddGroup(
      "certificate",
      "Certificates in the tokens; `key certificate` and `ak certificate` store them");
  AddCommand<ListCertificates>(group, context, "list", "List them, of both slots");
  AddCommand<ShowCertificate>(group, context, "show", "Show one, with its PEM");
  AddCommand<DeleteCertificate>(group, context, "delete", "Delete one; its key stays");
}

}  // namespace keyscope::cli
