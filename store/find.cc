// Find intersects ascending lists of ids, one for each asked attribute, by leaping from list to
// list: each list is asked for its first id from the candidate on, which becomes the next
// candidate. The work is bounded by the shortest list whatever the order of the attributes, and no
// statement depends on the query. Where tags are asked for, a candidate's class and privacy are
// looked up in its row at first: that page is read next anyway.
#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/error.h"
#include "store/database.h"
#include "store/object_store.h"

namespace keyscope::store {
namespace {

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();  // no id is as large

// Each takes its smallest id as the first parameter.
constexpr char kByTag[] =
    "SELECT object_id FROM attribute WHERE type = ?2 AND tag = ?3 AND object_id >= ?1 ORDER BY "
    "object_id";
constexpr char kByClass[] =
    "SELECT id FROM object WHERE private = ?2 AND class = ?3 AND id >= ?1 ORDER BY id";
constexpr char kRow[] = "SELECT class, private FROM object WHERE id = ?1";
constexpr char kByPrivate[] = "SELECT id FROM object WHERE private = ?2 AND id >= ?1 ORDER BY id";

// One list, read through an index.
class IdList {
 public:
  template <typename... Values>
  IdList(Database& database, const char* sql, const Values&... values)
      : query_(database.Prepare(sql)) {
    query_.Bind(int64_t{0}, values...);
  }

  // The first id that is `target` or larger. Targets never fall.
  int64_t Seek(int64_t target) {
    if (started_ && at_ < target) Next();  // mostly it is the next one: no search needed
    if (!started_ || at_ < target) {
      query_.Rewind();
      query_.BindAt(1, target);
      Next();
      started_ = true;
    }
    if (at_ < target)
      throw Error(Fault::Corrupt, "the store's index is out of order: restore the store");
    return at_;
  }

 private:
  void Next() { at_ = query_.Step() ? query_.Int(0) : kEnd; }

  Statement query_;
  bool started_ = false;
  int64_t at_ = 0;
};

// The class and privacy that are asked for, looked up in the rows of candidates.
class Rows {
 public:
  Rows(Database& database, const Query& query) : query_(query), row_(database.Prepare(kRow)) {}

  // Candidates are to be leapt over rather.
  bool TooManyStrangers() const { return strangers_ >= 8; }
  bool Fits(int64_t id) {
    row_.Rewind();
    row_.BindAt(1, id);
    const bool fits = row_.Step() && row_.Int(0) == query_.object_class.value_or(row_.Int(0)) &&
                      (query_.with_private || row_.Int(1) == 0);
    if (!fits) ++strangers_;
    return fits;
  }

 private:
  const Query& query_;
  Statement row_;
  int strangers_ = 0;
};

// One condition of the query: an object on any of these lists meets it.
struct Condition {
  std::vector<IdList> lists;
  std::optional<Rows> rows = std::nullopt;  // instead, for the first candidates

  // The first id that may meet it, `target` or larger; `target` only if it does.
  int64_t Seek(int64_t target) {
    if (target == kEnd) return kEnd;
    if (rows && !rows->TooManyStrangers()) return rows->Fits(target) ? target : target + 1;
    int64_t first = kEnd;
    for (IdList& list : lists) first = std::min(first, list.Seek(target));
    return first;
  }
};

std::vector<Condition> ConditionsOf(Database& database, const Query& query) {
  std::vector<Condition> conditions;
  for (const std::vector<IndexEntry>& alternatives : query.all_of) {
    Condition& condition = conditions.emplace_back();
    for (const IndexEntry& entry : alternatives)
      condition.lists.emplace_back(database, kByTag, entry.type, entry.tag);
  }
  // Where objects of all classes are asked for, private ones too, a tag's list needs no other.
  const bool has_tags = !conditions.empty();
  if (has_tags && query.with_private && !query.object_class) return conditions;
  Condition& condition = conditions.emplace_back();
  if (has_tags) condition.rows.emplace(database, query);
  for (int64_t is_private = 0; is_private <= (query.with_private ? 1 : 0); ++is_private) {
    if (query.object_class)
      condition.lists.emplace_back(database, kByClass, is_private, *query.object_class);
    else
      condition.lists.emplace_back(database, kByPrivate, is_private);
  }
  return conditions;
}

}  // namespace

std::vector<int64_t> ObjectStore::Find(const Query& query, int64_t after, size_t limit) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr || after == kEnd) return {};
  Transaction transaction(*database, Transaction::Kind::Read);
  std::vector<Condition> conditions = ConditionsOf(*database, query);
  std::vector<int64_t> found;
  int64_t candidate = after + 1;
  while (found.size() < limit) {
    int64_t next = candidate;
    for (Condition& condition : conditions) next = condition.Seek(next);
    if (next == kEnd) break;
    bool on_all = next == candidate;
    if (on_all) found.push_back(candidate);
    candidate = on_all ? candidate + 1 : next;
  }
  return found;
}

}  // namespace keyscope::store
