#include "base/error.h"
#include "store/database.h"
#include "store/object_store.h"
#include "store/pending_erase.h"
#include "store/token_row.h"

namespace keyscope::store {
namespace {

constexpr size_t kUidSize = 16, kMostLoaded = size_t{64} << 10;

[[noreturn]] void ThrowCorrupt(const Database& database, int64_t id) {
  throw Error(Fault::Corrupt, "store " + database.path() + ": row " + std::to_string(id) +
                                  " does not decode: delete it or restore the store");
}

void InsertIndex(Database& database, int64_t id, const ObjectRow& row) {
  for (const IndexEntry& entry : row.index)
    database.Run("INSERT OR IGNORE INTO attribute(object_id, type, tag) VALUES(?1, ?2, ?3)", id,
                 entry.type, entry.tag);
}

void ReadIndex(Database& database, ObjectRow& row) {
  Statement query = database.Prepare("SELECT type, tag FROM attribute WHERE object_id = ?1");
  query.Bind(row.id);
  while (query.Step()) row.index.push_back({query.Int(0), query.Blob(1)});
}

void ReadMaterial(Database& database, ObjectRow& row) {
  Statement query = database.Prepare(
      "SELECT public_area, private_area, auth, handle, name FROM key_material"
      " WHERE object_id = ?1");
  if (query.Bind(row.id).Step())
    row.material = {query.Blob(0), query.Blob(1), query.Blob(2), query.Int(3), query.Blob(4)};
}

void InsertMaterial(Database& database, int64_t id, const ObjectRow& row) {
  if (!row.material) return;
  database.Run(
      "INSERT INTO key_material(object_id, public_area, private_area, auth, handle, name)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
      id, row.material->public_area, row.material->private_area, row.material->auth,
      row.material->handle, row.material->name);
}

// Of a key that the hardware keeps: the note of who made it, unless another process is erasing it.
void TakePendingErase(Database& database, const ObjectRow& row) {
  if (database.Run("DELETE FROM pending_erase WHERE uid = ?1 AND attempts = 0", row.uid) == 0)
    throw Error(Fault::Busy, "another process took the new key for a remnant: try again");
}

int64_t InsertObject(Database& database, const ObjectRow& row) {
  int64_t id = database
                   .Number(
                       "INSERT INTO object(uid, scope, class, private, ak_id, body)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                       row.uid, static_cast<int64_t>(row.scope), row.object_class, row.is_private,
                       row.ak_id, row.body)
                   .value();
  InsertIndex(database, id, row);
  InsertMaterial(database, id, row);
  return id;
}

}  // namespace

std::optional<ObjectRow> ObjectStore::ReadObject(Database& database, int64_t id, Part part) {
  Statement query =
      database.Prepare("SELECT uid, scope, class, private, body, ak_id FROM object WHERE id = ?1");
  if (!query.Bind(id).Step()) return std::nullopt;
  const int64_t scope = query.Int(1);
  if (scope != static_cast<int64_t>(KeyScope::Machine) &&
      scope != static_cast<int64_t>(KeyScope::User))
    ThrowCorrupt(database, id);
  ObjectRow row;
  row.id = id;
  row.scope = static_cast<KeyScope>(scope);
  RequireScope(row.scope, id);
  row.uid = query.Blob(0);
  if (row.uid.size() != kUidSize) ThrowCorrupt(database, id);
  row.object_class = query.Int(2);
  row.is_private = query.Int(3) != 0;
  row.body = query.Blob(4);
  row.ak_id = query.Text(5);
  if (part == Part::All) ReadMaterial(database, row);
  return row;
}

void ObjectStore::Insert(ByteView epoch, std::vector<ObjectRow*> rows) {
  std::lock_guard lock(mutex_);
  Database& database = OpenToken();
  Transaction transaction(database, Transaction::Kind::Write);
  RequireEpoch(database, epoch);
  std::vector<int64_t> ids;
  for (const ObjectRow* row : rows) {
    if (row->scope != scope_ || row->uid.size() != kUidSize)
      throw Error(Fault::Internal,
                  "a new row has a scope other than its store's, or no 16-byte uid");
    ids.push_back(InsertObject(database, *row));
    if (row->material && row->material->kept()) TakePendingErase(database, *row);
  }
  transaction.Commit();
  for (size_t i = 0; i < rows.size(); ++i) rows[i]->id = ids[i];
}

// A page may have lost rows and still look like one to SQLite.
std::optional<ObjectRow> ObjectStore::ReadOrMiss(Database& database, int64_t id, Part part) {
  std::optional<ObjectRow> row = ReadObject(database, id, part);
  constexpr char kIndexed[] =
      "SELECT count(*) FROM object INDEXED BY object_by_private"
      " WHERE private IN (0, 1) AND id = ?1";
  if (!row && database.Number(kIndexed, id).value() != 0) ThrowCorrupt(database, id);
  return row;
}

std::optional<ObjectRow> ObjectStore::Load(int64_t id, Part part) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return std::nullopt;
  Transaction transaction(*database, Transaction::Kind::Read);
  return ReadOrMiss(*database, id, part);
}

std::vector<LoadedRow> ObjectStore::LoadSome(std::span<const int64_t> ids) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return std::vector<LoadedRow>(ids.size());
  Transaction transaction(*database, Transaction::Kind::Read);
  std::vector<LoadedRow> loaded;
  for (size_t size = 0; loaded.size() < ids.size() && size < kMostLoaded;) {
    LoadedRow& next = loaded.emplace_back();
    try {
      next.row = ReadOrMiss(*database, ids[loaded.size() - 1], Part::WithoutMaterial);
      if (next.row) size += next.row->body.size();
    } catch (const Error& error) {
      if (!error.Is(Fault::Corrupt)) throw;
      next.corrupt = error;
    }
  }
  return loaded;
}

bool ObjectStore::Change(int64_t id, const std::function<void(ObjectRow&)>& change) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Writing);
  if (database == nullptr) return false;
  Transaction transaction(*database, Transaction::Kind::Write);
  std::optional<ObjectRow> row = ReadObject(*database, id, Part::All);
  if (!row) return false;
  ReadIndex(*database, *row);
  change(*row);
  database->Run("UPDATE object SET class = ?2, private = ?3, ak_id = ?4, body = ?5 WHERE id = ?1",
                id, row->object_class, row->is_private, row->ak_id, row->body);
  database->Run("DELETE FROM attribute WHERE object_id = ?1", id);
  InsertIndex(*database, id, *row);
  database->Run("DELETE FROM key_material WHERE object_id = ?1", id);
  InsertMaterial(*database, id, *row);
  transaction.Commit();
  return true;
}

std::optional<std::string> ObjectStore::AkIdOf(ByteView uid) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return std::nullopt;
  Statement query = database->Prepare("SELECT ak_id FROM object WHERE uid = ?1");
  return query.Bind(uid).Step() ? std::optional(query.Text(0)) : std::nullopt;
}

bool ObjectStore::Delete(int64_t id, std::optional<PendingErase>* noted) {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Writing);
  if (database == nullptr) return false;
  Transaction transaction(*database, Transaction::Kind::Write);
  const auto erases = NoteErasesOfObjects(*database, scope_, "its object was destroyed", id);
  if (database->Run("DELETE FROM object WHERE id = ?1", id) == 0) return false;
  transaction.Commit();
  if (noted != nullptr && !erases.empty()) *noted = erases.front();
  return true;
}

int64_t ObjectStore::Count() {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  return database == nullptr ? 0 : database->Number("SELECT count(*) FROM object").value();
}

}  // namespace keyscope::store
