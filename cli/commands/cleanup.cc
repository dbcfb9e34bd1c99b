// keyscope cleanup
#include <algorithm>
#include <set>

#include "cli/certificates.h"
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

struct Cleanup {
  std::string location;
  bool expired = false, delete_keys = false, dry_run = false;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  using Sessions = std::vector<std::unique_ptr<Session>>;
  std::vector<KeyScope> Places() const;
  Sessions Open(Context& context, Json& notes) const;
  // What the tokens hold, read once.
  struct Found {
    std::vector<std::pair<const Session*, Certificate>> expired;
    std::set<Bytes> certified;  // the keys of all other certificates
  };
  Found Look(const Sessions& sessions) const;
  void DeleteKeyOf(const Found& found, const Certificate& certificate, Json& told,
                   Context& context) const;
};

void Cleanup::AddTo(Arguments args) {
  args.AddFlag("--expired", expired, "Delete the certificates that have expired").Required();
  args.AddFlag("--delete-keys", delete_keys,
               "And the keys that they are for, where no other certificate is for the same key");
  args.AddFlag("--dry-run", dry_run, "Only tell what would be deleted");
  args.Add("--location", location,
           "Only the certificates of this slot: machine or user; both when not given");
}

// The key that a certificate is for, by its id and its public key; CK_INVALID_HANDLE: none.
CK_OBJECT_HANDLE KeyOf(const Session& session, const Certificate& certificate, const Bytes& id) {
  if (id.empty()) return CK_INVALID_HANDLE;
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, CKO_PRIVATE_KEY).Add(CKA_ID, ByteView(id));
  const Bytes key_info = SpkiOf(*certificate.x509);
  for (CK_OBJECT_HANDLE key : session.Find(wanted))
    if (!key_info.empty() && session.GetOr(key, CKA_PUBLIC_KEY_INFO) == key_info) return key;
  return CK_INVALID_HANDLE;
}

std::vector<KeyScope> Cleanup::Places() const {
  if (location.empty()) return {std::begin(kScopes), std::end(kScopes)};
  return {ParseScope(location)};
}

bool Contains(const std::vector<KeyScope>& places, KeyScope scope) {
  return std::ranges::find(places, scope) != places.end();
}

// No key is deleted unless both can be read: its valid certificate may be in either slot.
Cleanup::Sessions Cleanup::Open(Context& context, Json& notes) const {
  const std::vector<KeyScope> places = Places();
  Sessions sessions;
  for (KeyScope scope : kScopes) {
    const bool of_place = Contains(places, scope);
    if (!of_place && !delete_keys) continue;
    const bool must = delete_keys || !location.empty();
    if (!(must ? context.HasToken(scope) : context.HasToken(scope, notes))) continue;
    if (!of_place) {
      sessions.push_back(std::make_unique<Session>(context.module(), scope));
      continue;
    }
    if (location.empty() && context.LastPinWasWrong(scope))
      throw Failure("the " + std::string(Name(scope)) +
                    " token's last PIN was wrong; clean up one slot at a time, with --location");
    sessions.push_back(context.Login(scope));
  }
  return sessions;
}

Cleanup::Found Cleanup::Look(const Sessions& sessions) const {
  const std::vector<KeyScope> places = Places();
  Found found;
  for (const auto& session : sessions) {
    const bool of_place = Contains(places, session->scope());
    for (Certificate& one : FindCertificates(*session, {})) {
      if (!HasExpired(*one.x509))
        found.certified.insert(SpkiOf(*one.x509));
      else if (of_place)
        found.expired.emplace_back(session.get(), std::move(one));
    }
  }
  return found;
}

void Cleanup::DeleteKeyOf(const Found& found, const Certificate& certificate, Json& told,
                          Context& context) const {
  if (!context.HasToken(certificate.key_scope)) return;
  const auto session = context.Login(certificate.key_scope);  // which may not be the certificate's
  const Bytes id = FromHex(told.value("id", "")).value_or(Bytes());
  const CK_OBJECT_HANDLE key = KeyOf(*session, certificate, id);
  if (key == CK_INVALID_HANDLE) return;
  if (found.certified.contains(SpkiOf(*certificate.x509))) {
    told["key"] = "stays: another certificate is for it";
    return;
  }
  told["key"] = UriOf(*session, key, {});
  if (!dry_run && DeleteKey(*session, key).pending) {
    told["pending"] = kErasePending;
    context.exit = Exit::Failed;
  }
}

void Cleanup::Run(Context& context) const {
  Json certificates = Json::array(), notes = Json::array();
  const Sessions sessions = Open(context, notes);
  const Found found = Look(sessions);
  Progress progress = context.Watch("cleaning up", found.expired.size());
  for (const auto& [session, one] : found.expired) {
    Json told = Describe(*session, one);
    if (delete_keys) DeleteKeyOf(found, one, told, context);
    if (!dry_run) session->Destroy(one.object);
    certificates.push_back(std::move(told));
    progress.Step();
  }
  Json answer = {{dry_run ? "would_delete" : "deleted", std::move(certificates)}};
  if (!notes.empty()) answer["notes"] = std::move(notes);
  context.Answer(answer);
}

}  // namespace

void AddCleanup(Arguments program, Context& context) {
  AddCommand<Cleanup>(program, context, "cleanup",
                      "Delete expired certificates and, when asked to, their keys");
}

}  // namespace keyscope::cli
