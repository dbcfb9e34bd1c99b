#include "store/pending_erase.h"

#include "base/error.h"
#include "base/log.h"

namespace keyscope::store {
namespace {

// The columns: id, uid, handle, name, reason, attempts.
PendingErase ReadErase(const Statement& query, KeyScope scope) {
  return {query.Int(0),  query.Blob(1), scope,       query.Int(2),
          query.Blob(3), query.Text(4), query.Int(5)};
}

}  // namespace

int64_t NoteErase(Database& database, const PendingErase& erase) {
  return database
      .Number(
          "INSERT INTO pending_erase(uid, scope, handle, name, reason, attempts)"
          " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
          " ON CONFLICT(uid) DO UPDATE SET reason = excluded.reason, attempts = attempts + 1"
          " RETURNING id",
          erase.uid, static_cast<int64_t>(erase.scope), erase.handle, erase.name, erase.reason,
          erase.attempts)
      .value();
}

std::vector<PendingErase> NoteErasesOfObjects(Database& database, KeyScope scope,
                                              std::string_view reason,
                                              std::optional<int64_t> object) {
  const std::string sql =
      std::string(
          "INSERT INTO pending_erase(uid, scope, handle, name, reason, attempts)"
          " SELECT CASE length(uid) WHEN 16 THEN uid ELSE randomblob(16) END, ?1, handle, name, ?2,"
          " 0 FROM object JOIN key_material ON object_id = id"
          " WHERE (handle != 0 OR length(name) != 0)") +
      (object ? " AND id = ?3" : "") +
      " ON CONFLICT(uid) DO UPDATE SET reason = excluded.reason, attempts = attempts + 1"
      " RETURNING id, uid, handle, name, reason, attempts";
  Statement query = database.Prepare(sql);
  query.Bind(static_cast<int64_t>(scope), reason);
  if (object) query.BindAt(3, *object);
  std::vector<PendingErase> noted;
  while (query.Step()) noted.push_back(ReadErase(query, scope));
  return noted;
}

std::vector<PendingErase> ObjectStore::PendingErases() {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return {};
  Statement query = database->Prepare(
      "SELECT id, uid, handle, name, reason, attempts FROM pending_erase WHERE scope = ?1 ORDER BY "
      "id");
  query.Bind(static_cast<int64_t>(scope_));
  std::vector<PendingErase> erases;
  while (query.Step()) {
    try {
      erases.push_back(ReadErase(query, scope_));
    } catch (const Error& unreadable) {  // it must not hide the others
      log::Warn(unreadable.what());
    }
  }
  return erases;
}

std::vector<PendingErase> ObjectStore::ErasesDue() {
  std::vector<PendingErase> due = PendingErases();
  // Asked afterwards: what is noted later is not among them.
  if (!due.empty() && Making::Anybody(path_))
    std::erase_if(due, [](const PendingErase& erase) { return erase.reason == kUnfinished; });
  return due;
}

std::set<Bytes> ObjectStore::KeptNames() {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return {};
  Statement query = database->Prepare(
      "SELECT name FROM key_material WHERE handle = 0 AND length(name) != 0"
      " UNION SELECT name FROM pending_erase WHERE handle = 0 AND length(name) != 0");
  std::set<Bytes> names;
  while (query.Step()) names.insert(query.Blob(0));
  return names;
}

int64_t ObjectStore::NotePendingErase(const PendingErase& erase) {
  std::lock_guard lock(mutex_);
  Database& database = OpenToken();
  Transaction transaction(database, Transaction::Kind::Write);
  int64_t id = NoteErase(database, erase);
  transaction.Commit();
  return id;
}

bool ObjectStore::ClaimPendingErase(int64_t id) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Writing);
  if (database == nullptr) return false;
  Transaction transaction(*database, Transaction::Kind::Write);
  const bool there =
      database->Run("UPDATE pending_erase SET attempts = attempts + 1 WHERE id = ?1", id) != 0;
  transaction.Commit();
  return there;
}

void ObjectStore::ClearPendingErase(int64_t id) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Writing);
  if (database == nullptr) return;
  Transaction transaction(*database, Transaction::Kind::Write);
  database->Run("DELETE FROM pending_erase WHERE id = ?1", id);
  transaction.Commit();
}

}  // namespace keyscope::store
