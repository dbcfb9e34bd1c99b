#include "store/pending_erase.h"

#include "base/error.h"
#include "base/log.h"

namespace keyscope::store {

int64_t NoteErase(Database& database, const PendingErase& erase) {
  return database
      .Number(
          "INSERT INTO pending_erase(uid, scope, handle, reason, attempts) VALUES(?1, ?2, ?3, ?4, "
          "?5)"
          " ON CONFLICT(uid) DO UPDATE SET reason = excluded.reason, attempts = attempts + 1"
          " RETURNING id",
          erase.uid, static_cast<int64_t>(erase.scope), erase.handle, erase.reason, erase.attempts)
      .value();
}

std::vector<PendingErase> ObjectStore::PendingErases() {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return {};
  Statement query = database->Prepare(
      "SELECT id, uid, handle, reason, attempts FROM pending_erase WHERE scope = ?1 ORDER BY id");
  query.Bind(static_cast<int64_t>(scope_));
  std::vector<PendingErase> erases;
  while (query.Step()) {
    try {
      erases.push_back(
          {query.Int(0), query.Blob(1), scope_, query.Int(2), query.Text(3), query.Int(4)});
    } catch (const Error& unreadable) {  // it must not hide the others
      log::Warn(unreadable.what());
    }
  }
  return erases;
}

int64_t ObjectStore::NotePendingErase(const PendingErase& erase) {
  std::lock_guard lock(mutex_);
  Database& database = OpenToken();
  Transaction transaction(database, Transaction::Kind::Write);
  int64_t id = NoteErase(database, erase);
  transaction.Commit();
  return id;
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
