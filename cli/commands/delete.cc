// keyscope key delete, keyscope ak delete
#include <algorithm>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/offline.h"

namespace keyscope::cli {
namespace {

constexpr char kListRows[] = "; `keyscope key list --offline` lists them";

struct Delete {
  explicit Delete(KeyKind of) : kind(of) {}

  KeyKind kind;
  KeyOptions key;
  std::vector<int64_t> rows;
  bool offline = false, all = false;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  std::vector<OfflineObject> Chosen(const std::string& name,
                                    std::vector<OfflineObject> objects) const;
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

// The key of that name and its public half, or the rows that are named.
std::vector<OfflineObject> Delete::Chosen(const std::string& name,
                                          std::vector<OfflineObject> objects) const {
  if (all) return objects;
  for (int64_t row : rows)
    if (std::ranges::find(objects, row, &OfflineObject::row) == objects.end())
      throw Failure("no such row: " + std::to_string(row) + kListRows);
  const auto is_the_key = [&](const OfflineObject& object) {
    return object.object_class == CKO_PRIVATE_KEY && object.name == name &&
           object.is_ak == (kind == KeyKind::Ak);
  };
  if (!name.empty() && std::ranges::count_if(objects, is_the_key) != 1)
    throw Failure((std::ranges::none_of(objects, is_the_key) ? "no such row has the name '"
                                                             : "several keys have the name '") +
                  name + "': choose with --row" + kListRows);
  const auto key_row = std::ranges::find_if(objects, is_the_key);
  const Bytes key_info = name.empty() ? Bytes() : key_row->key_info;
  std::erase_if(objects, [&](const OfflineObject& object) {
    if (name.empty()) return std::ranges::find(rows, object.row) == rows.end();
    const bool public_half =
        object.object_class == CKO_PUBLIC_KEY && object.name == name && object.key_info == key_info;
    return !is_the_key(object) && !public_half;
  });
  return objects;
}

void Delete::RunOffline(Context& context, const Uri& uri) const {
  if (!uri.id.empty()) throw UsageError("--offline knows no ids: NAME, --row or --all");
  if (!uri.name.empty() + !rows.empty() + all != 1)
    throw UsageError("say what to delete: NAME, --row or --all");
  Direct direct;
  const auto chosen = Chosen(uri.name, ListOffline(context, direct, uri.scope()));
  const bool pending = DeleteOffline(context, direct, uri.scope(), chosen);
  Tell(context,
       all                ? "all"
       : uri.name.empty() ? "rows"
                          : uri.name,
       uri.scope(), chosen.size(), pending);
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
