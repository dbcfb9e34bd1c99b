#include "store/database.h"

#include <array>
#include <thread>

#include "base/error.h"
#include "store/files.h"
#include "store/sqlite_fault.h"

namespace keyscope::store {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kBusyTimeout{15};
constexpr size_t kIdleStatements = 64;
constexpr int kLargestValue = 64 << 20;  // bytes

// Set at open and read back: a library built without one of them must not be used.
struct Setting {
  const char* name;
  int64_t value;
};
constexpr Setting kSettings[] = {
    {"foreign_keys", 1},     // rows go with their object
    {"secure_delete", 1},    // what is deleted is overwritten
    {"synchronous", 3},      // EXTRA: a commit also waits for the journal's end to be on disk
    {"temp_store", 2},       // MEMORY: nothing is spilled into a temporary folder
    {"trusted_schema", 0},   // the file's own schema runs no functions with side effects
    {"cell_size_check", 1},  // damaged pages are found early
    {"mmap_size", 0},        // an I/O error is an error code, not a SIGBUS
    // KiB at most: what a search among 100,000 objects reads of its index (3 MB) stays beside rows.
    {"cache_size", -5000},
};

struct Switch {
  int option;
  int value;
};
constexpr Switch kSwitches[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},  // a store has none (foreign key actions are not triggers)
    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
};

}  // namespace

Database::Database(const std::string& path) : path_(SqlitePath(path)) {
  constexpr int kFlags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  try {
    Check(sqlite3_open_v2(path_.c_str(), &connection_, kFlags, nullptr), "open");
    Configure();
  } catch (...) {
    Close();
    throw;
  }
}

Database::~Database() { Close(); }

void Database::Close() noexcept {
  for (auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  idle_.clear();
  sqlite3_close(connection_);
}

void Database::Configure() {
  sqlite3_busy_handler(connection_, OnBusy, this);
  sqlite3_limit(connection_, SQLITE_LIMIT_LENGTH, kLargestValue);
  for (auto [option, value] : kSwitches)
    Check(sqlite3_db_config(connection_, option, value, nullptr), "configure");
  for (auto [name, value] : kSettings) {
    std::string pragma = std::string("PRAGMA ") + name;
    Script(pragma + "=" + std::to_string(value));
    if (Number(pragma) != value)
      throw Error(Fault::Internal,
                  "this SQLite library refuses " + pragma + ": use another build of it");
  }
  // A rollback journal, so that a store on a read-only file system can be read.
  Statement journal = Prepare("PRAGMA journal_mode=DELETE");
  if (!journal.Step() || journal.Text(0) != "delete")
    throw Error(Fault::Corrupt, "store " + path_ +
                                    ": it uses a write-ahead log, which a Keyscope store "
                                    "never does; set PRAGMA journal_mode=DELETE");
}

bool Database::read_only() const { return sqlite3_db_readonly(connection_, "main") != 0; }

bool Database::moved() const {
  int moved = 0;
  int code = sqlite3_file_control(connection_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

uint32_t Database::CommitsSeen() const {
  constexpr sqlite3_int64 kOffset = 24;
  sqlite3_file* file = nullptr;
  std::array<uint8_t, 4> count{};
  if (sqlite3_file_control(connection_, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
      file->pMethods == nullptr ||
      file->pMethods->xRead(file, count.data(), count.size(), kOffset) != SQLITE_OK)
    return 0;
  return uint32_t{count[0]} << 24 | uint32_t{count[1]} << 16 | uint32_t{count[2]} << 8 | count[3];
}

Statement Database::Prepare(std::string_view sql) {
  auto found = idle_.find(sql);
  if (found != idle_.end()) {
    sqlite3_stmt* statement = found->second;
    idle_.erase(found);
    return {*this, statement};
  }
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr),
        sql);
  return {*this, statement};
}

void Database::GiveBack(sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  try {
    if (idle_.size() < kIdleStatements) {
      idle_.emplace(sqlite3_sql(statement), statement);
      return;
    }
  } catch (const std::bad_alloc&) {  // then it is not cached
  }
  sqlite3_finalize(statement);
}

void Database::Script(const std::string& sql) {
  Check(sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr), sql);
}

void Database::Check(int code, std::string_view doing) {
  if (code == SQLITE_OK) return;
  broken_ = true;
  throw SqliteError(connection_, code, "store " + path_ + ": " + std::string(doing.substr(0, 60)));
}

// Short, random waits: SQLite's own, growing ones let a late comer starve among many writers.
int Database::OnBusy(void* self, int calls) {
  auto& database = *static_cast<Database*>(self);
  auto now = steady_clock::now();
  if (calls == 0) database.give_up_ = now + kBusyTimeout;
  if (now >= database.give_up_) return 0;
  uint16_t random = 0;
  sqlite3_randomness(sizeof random, &random);
  std::this_thread::sleep_for(microseconds(500 + random % 4000));
  return 1;
}

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.Run(kind == Kind::Write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (sqlite3_get_autocommit(database_.connection_) != 0)
    return;  // committed, or ended by an error
  try {
    database_.Run("ROLLBACK");
  } catch (const std::exception&) {
    database_.broken_ = true;  // closing the connection rolls back
  }
}

void Transaction::Commit() { database_.Run("COMMIT"); }

}  // namespace keyscope::store
