// keyscope key list, keyscope ak list
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/offline.h"

namespace keyscope::cli {
namespace {

struct List {
  explicit List(KeyKind of) : kind(of) {}

  KeyKind kind;
  std::string scope, attested_by, uri;
  bool offline = false;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  Uri Wanted() const;
  static std::vector<KeyScope> Scopes(const Uri& wanted);
  void Fill(Context& context, const Uri& wanted, KeyScope of, Json& keys, Json& notes) const;
  static void FillOffline(const Context& context, Direct& direct, KeyScope of, Json& rows);
};

void List::AddTo(Arguments args) {
  args.Add("--scope", scope, "machine or user; both when not given");
  args.Add("--uri", uri, "Only those that this pkcs11: or tpmkms: URI names");
  if (kind == KeyKind::Ak) return;
  args.Add("--attested-by", attested_by, "Only the keys that this attestation key attests");
  args.AddFlag("--offline", offline,
               "Every row of the stores, without login and TPM; names of private keys come from "
               "their public halves");
}

Uri List::Wanted() const {
  Uri wanted = uri.empty() ? Uri{} : ParseUri(uri);
  if (!scope.empty()) wanted.key_scope = ParseScope(scope);
  if (!attested_by.empty()) wanted.attest_by = attested_by;
  return wanted;
}

std::vector<KeyScope> List::Scopes(const Uri& wanted) {
  if (wanted.key_scope || wanted.store_location) return {wanted.scope()};
  return {std::begin(kScopes), std::end(kScopes)};
}

bool IsAttestedBy(const Session& session, CK_OBJECT_HANDLE key, const std::string& name) {
  if (name.empty()) return true;
  const CK_OBJECT_HANDLE ak = AkOf(session, key);
  return ak != CK_INVALID_HANDLE && LabelOf(session, ak) == name;
}

// What can be read is listed; what cannot is told beside it.
void List::Fill(Context& context, const Uri& wanted, KeyScope of, Json& keys, Json& notes) const {
  const std::string in(Name(of));
  try {
    const bool named = Scopes(wanted).size() == 1;
    if (!(named ? context.HasToken(of) : context.HasToken(of, notes))) return;
    std::string why_not;
    const auto session = context.LoginIfPossible(of, named, why_not);
    if (!why_not.empty()) notes.push_back("no private keys: " + why_not);
    const auto found = FindKeys(*session, wanted, kind);
    Progress progress = context.Watch("reading the " + in + " token", found.size());
    for (CK_OBJECT_HANDLE key : found) {
      try {
        if (IsAttestedBy(*session, key, wanted.attest_by))
          keys.push_back(Summary(*session, key, wanted));
      } catch (const Error& error) {
        notes.push_back("a key of the " + in + " scope cannot be read: " + error.what());
      }
      progress.Step();
    }
  } catch (const Failure& failure) {
    notes.push_back(failure.what());
    context.exit = Exit::Failed;
  } catch (const Error& error) {
    notes.push_back("the " + in + " token: " + error.what());
    context.exit = Exit::Failed;
  }
}

void List::FillOffline(const Context& context, Direct& direct, KeyScope of, Json& rows) {
  for (const OfflineObject& object : ListOffline(context, direct, of)) {
    Json row = Json::object();
    row["row"] = object.row;
    row["scope"] = Name(of);
    if (!object.kind.empty()) row["kind"] = object.kind;
    if (!object.name.empty()) row["name"] = object.name;
    if (!object.unique_id.empty()) row["unique_id"] = object.unique_id;
    if (!object.attested_by.empty()) row["attested_by"] = object.attested_by;
    if (!object.unreadable.empty()) row["unreadable"] = object.unreadable;
    rows.push_back(std::move(row));
  }
}

void List::Run(Context& context) const {
  const char* title = offline ? "rows" : kind == KeyKind::Ak ? "attestation_keys" : "keys";
  const Uri wanted = Wanted();
  Json list = Json::array(), notes = Json::array();
  if (offline) {
    if (!attested_by.empty() || !wanted.name.empty() || !wanted.id.empty())
      throw UsageError("--offline lists every row: it goes with --scope only");
    Direct direct;
    for (KeyScope of : Scopes(wanted)) FillOffline(context, direct, of, list);
  } else {
    for (KeyScope of : Scopes(wanted)) Fill(context, wanted, of, list, notes);
  }
  Json answer = Json::object();
  answer[title] = std::move(list);
  if (!notes.empty()) answer["notes"] = std::move(notes);
  context.Answer(answer);
}

}  // namespace

void AddList(Arguments group, Context& context, KeyKind kind) {
  AddCommand(group, context, "list", "List them, of both scopes", List(kind));
}

}  // namespace keyscope::cli
