#include "store/schema.h"

#include <iterator>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "store/files.h"

namespace keyscope::store {
namespace {

constexpr int64_t kApplicationId = 0x4B534350;  // "KSCP"

// Version 0, made by hand before Keyscope wrote stores: no application_id, user_version 0, and
//   token(label, serial, epoch, root_handle, root_public, root_name, so_public, so_private,
//         user_public, user_private, login_required)
//   object(id INTEGER PRIMARY KEY, uid, class, private, body)
//   attribute(object_id, type, tag)
//   key_material(object_id, public_area, private_area, auth)
// It knows no scopes: its keys are the user's (2). Rows that do not fit are left to the copy of the
// file.
//
// The text of a published version is never changed: a new version is a new row in kSteps.
constexpr char kVersion1[] = R"sql(
CREATE TABLE token(
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  scope INTEGER NOT NULL CHECK (scope IN (1, 2)),
  epoch BLOB NOT NULL,
  label TEXT NOT NULL,
  serial TEXT NOT NULL,
  root_handle INTEGER NOT NULL,
  root_public BLOB NOT NULL,
  root_name BLOB NOT NULL,
  so_public BLOB NOT NULL,
  so_private BLOB NOT NULL,
  user_public BLOB,
  user_private BLOB,
  login_required INTEGER NOT NULL,
  so_pin_tries INTEGER NOT NULL,
  user_pin_tries INTEGER NOT NULL
) STRICT;

CREATE TABLE tpm_fact(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE object(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  scope INTEGER NOT NULL CHECK (scope IN (1, 2)),
  class INTEGER NOT NULL,
  private INTEGER NOT NULL CHECK (private IN (0, 1)),
  ak_id TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX object_by_class ON object(class, private);
CREATE INDEX object_by_private ON object(private);

CREATE TABLE attribute(
  object_id INTEGER NOT NULL REFERENCES object(id) ON DELETE CASCADE,
  type INTEGER NOT NULL,
  tag BLOB NOT NULL,
  PRIMARY KEY (object_id, type, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX attribute_by_tag ON attribute(type, tag, object_id);

CREATE TABLE key_material(
  object_id INTEGER PRIMARY KEY REFERENCES object(id) ON DELETE CASCADE,
  public_area BLOB NOT NULL,
  private_area BLOB NOT NULL,
  auth BLOB NOT NULL,
  handle INTEGER NOT NULL DEFAULT 0,
  name BLOB NOT NULL DEFAULT x''
) STRICT;

CREATE TABLE pending_erase(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  scope INTEGER NOT NULL CHECK (scope IN (1, 2)),
  handle INTEGER NOT NULL,
  name BLOB NOT NULL,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL
) STRICT;
)sql";

constexpr char kSetAside0[] = R"sql(
ALTER TABLE token RENAME TO old_token;
ALTER TABLE object RENAME TO old_object;
ALTER TABLE attribute RENAME TO old_attribute;
ALTER TABLE key_material RENAME TO old_key_material;
)sql";

constexpr char kCopy0To1[] = R"sql(
INSERT INTO token
  SELECT 1, 2, epoch, label, serial, root_handle, root_public, root_name, so_public, so_private,
         user_public, user_private, login_required, 0, 0
  FROM old_token LIMIT 1;
INSERT OR IGNORE INTO object
  SELECT id, uid, 2, class, private, '', body FROM old_object
  WHERE typeof(uid) = 'blob' AND length(uid) = 16 AND typeof(class) = 'integer' AND private IN (0, 1)
    AND typeof(private) = 'integer' AND typeof(body) = 'blob';
INSERT OR IGNORE INTO attribute
  SELECT object_id, type, tag FROM old_attribute
  WHERE object_id IN (SELECT id FROM object) AND typeof(object_id) = 'integer'
    AND typeof(type) = 'integer' AND typeof(tag) = 'blob';
INSERT OR IGNORE INTO key_material(object_id, public_area, private_area, auth)
  SELECT object_id, public_area, private_area, auth FROM old_key_material
  WHERE object_id IN (SELECT id FROM object) AND typeof(object_id) = 'integer'
    AND typeof(public_area) = 'blob' AND typeof(private_area) = 'blob' AND typeof(auth) = 'blob';
DROP TABLE old_key_material;
DROP TABLE old_attribute;
DROP TABLE old_object;
DROP TABLE old_token;
)sql";

void From0(Database& database) {
  database.Script(kSetAside0);
  database.Script(kVersion1);
  database.Script(kCopy0To1);
}

// kSteps[n] brings a store of version n to version n + 1.
constexpr void (*kSteps[])(Database&) = {From0};
constexpr int kCurrentVersion = std::size(kSteps);

void Stamp(Database& database, int version) {
  database.Script("PRAGMA application_id=" + std::to_string(kApplicationId));
  database.Script("PRAGMA user_version=" + std::to_string(version));
}

[[noreturn]] void ThrowForeign(const Database& database, Fault fault, const std::string& why) {
  throw Error(fault, "store " + database.path() + ": " + why + "; it was left as it is");
}

// One step, unless another process has done it meanwhile. The version afterwards.
int StepFrom(Database& database) {
  Transaction transaction(database, Transaction::Kind::Write);
  const int version = StoreVersion(database);
  if (version == kCurrentVersion) return version;
  auto before = database.Number("SELECT count(*) FROM object");
  kSteps[version](database);
  Stamp(database, version + 1);
  auto after = database.Number("SELECT count(*) FROM object");
  transaction.Commit();
  if (after != before)
    log::Warn("store ", database.path(), ": ", *before - *after, " unreadable objects of version ",
              version, " remain only in the copy of the old file");
  return version + 1;
}

}  // namespace

int StoreVersion(Database& database) {
  const auto application = database.Number("PRAGMA application_id");
  const auto version = database.Number("PRAGMA user_version");
  constexpr char kTablesOf0[] =
      "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
      " AND name IN ('token', 'object', 'attribute', 'key_material')";
  bool ours = application == kApplicationId;
  bool by_hand = application == 0 && version == 0 && database.Number(kTablesOf0) == 4;
  if (!ours && !by_hand)
    ThrowForeign(database, Fault::Corrupt, "this is a database of another program: move it away");
  if (*version < 0 || *version > kCurrentVersion)
    ThrowForeign(database, *version < 0 ? Fault::Corrupt : Fault::TooNew,
                 "it is of version " + std::to_string(*version) + " and this Keyscope knows " +
                     "versions up to " + std::to_string(kCurrentVersion) + ": use a newer one");
  return static_cast<int>(*version);
}

KeyScope StoreScope(Database& database, int version) {
  if (version == 0) return KeyScope::User;
  auto scope = database.Number("SELECT scope FROM token");
  return scope == static_cast<int64_t>(KeyScope::Machine) ? KeyScope::Machine : KeyScope::User;
}

void CreateTables(Database& database) {
  database.Script(kVersion1);
  Stamp(database, 1);
  for (int version = 1; version < kCurrentVersion; ++version) {
    kSteps[version](database);
    Stamp(database, version + 1);
  }
}

void Upgrade(Database& database, int version) {
  if (version == kCurrentVersion) return;
  if (database.read_only())
    throw Error(Fault::ReadOnly, "store " + database.path() + ": it is of the old version " +
                                     std::to_string(version) +
                                     ": use it once with the right to write it");
  const std::string copy =
      CreateCopy(database.path(), database.path() + ".v" + std::to_string(version),
                 [&](const std::string& file) { database.Run("VACUUM INTO ?1", file); });
  log::Info("store ", database.path(), ": upgrading from version ", version, ", a copy is ", copy);
  while (StepFrom(database) != kCurrentVersion) continue;
}

}  // namespace keyscope::store
