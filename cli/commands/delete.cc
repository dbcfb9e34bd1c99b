// keyscope key delete, keyscope ak delete
#include <algorithm>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/offline.h"

namespace keyscope::cli {
namespace {

struct Delete {
  explicit Delete(KeyKind of) : kind(of) {}

  KeyKind kind;
  KeyOptions key;
  std::vector<int64_t> rows;
  bool offline = false, all = false;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  std::vector<OfflineObject> Chosen(const Uri& uri, std::vector<OfflineObject> objects) const;
  void RunOffline(Context& context, const Uri& uri) const;
};

void Delete::AddTo(Arguments args) {
  key.AddTo(args);
  auto flag = args.AddFlag("--offline", offline,
                           "Delete the records without login and TPM; needs only the right to "
                           "write the store");
  args.Add("--row", rows, "With --offline: rows of `keyscope key list --offline`").Needs(flag);
  args.AddFlag("--all", all, "With --offline: every row of the scope").Needs(flag);
}

void Tell(Context& context, const std::string& name, KeyScope scope, size_t count, bool pending) {
  Json answer = {{"deleted", name}, {"scope", Name(scope)}, {"objects", count}};
  if (pending) {
    answer["pending"] = kErasePending;
    context.exit = Exit::Failed;
  }
  context.Answer(answer);
}

std::vector<OfflineObject> Delete::Chosen(const Uri& uri,
                                          std::vector<OfflineObject> objects) const {
  if (all) return objects;
  std::erase_if(objects, [&](const OfflineObject& object) {
    const bool by_row = std::ranges::find(rows, object.row) != rows.end();
    return !by_row && (uri.name.empty() || object.name != uri.name);
  });
  return objects;
}

void Delete::RunOffline(Context& context, const Uri& uri) const {
  if (uri.name.empty() && rows.empty() && !all)
    throw UsageError("say what to delete: NAME, --row or --all");
  Direct direct;
  const auto chosen = Chosen(uri, ListOffline(context, direct, uri.scope()));
  if (chosen.empty())
    throw Failure("no such row in the " + std::string(Name(uri.scope())) +
                  " store; `keyscope key list --offline` lists them");
  const bool pending = DeleteOffline(context, direct, uri.scope(), chosen);
  Tell(context, all ? "all" : uri.name, uri.scope(), chosen.size(), pending);
}

void Delete::Run(Context& context) const {
  if (offline) {
    RunOffline(context, key.Resolve(context));
    return;
  }
  const Uri uri = key.ResolveOne(context);
  const auto session = context.Login(uri.scope(), uri);
  const CK_OBJECT_HANDLE handle = FindKey(*session, uri, kind);
  const std::string name = LabelOf(*session, handle);
  const Deleted deleted = DeleteKey(*session, handle);
  Tell(context, name, uri.scope(), deleted.objects, deleted.pending);
}

}  // namespace

void AddDelete(Arguments group, Context& context, KeyKind kind) {
  AddCommand(group, context, "delete",
             kind == KeyKind::Ak ? "Delete one; the keys that it attested stay, with their evidence"
                                 : "Delete one; its certificates stay",
             Delete(kind));
}

}  // namespace keyscope::cli
