// SQLite as the store uses it: one connection with its settings, cached statements, transactions.
// Every failure is an Error (see sqlite_fault.h). Not thread-safe: the ObjectStore's mutex covers
// it.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace keyscope::store {

class Database;

// One use of a prepared statement, taken from the connection's cache; its destructor gives it back.
class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Binds (copies of) the values to ?1, ?2, ...
  template <typename... Values>
  Statement& Bind(const Values&... values) {
    int index = 0;
    (BindAt(++index, values), ...);
    return *this;
  }
  void BindAt(int index, int64_t value);
  void BindAt(int index, std::string_view value);
  void BindAt(int index, ByteView value);
  void BindAt(int index, const Bytes* value);  // nullptr: NULL

  bool Step();    // true: on a row; false: done
  void Rewind();  // to bind and step again

  // The columns of the row, from 0. Corrupt when the stored value is of another type.
  bool IsNull(int column) const;
  int64_t Int(int column) const;
  std::string Text(int column) const;
  Bytes Blob(int column) const;

 private:
  void Require(int column, int type) const;
  void Check(int code);

  Database* database_;
  sqlite3_stmt* statement_;
};

class Database {
 public:
  // Opens an existing file, for reading only when it may not be written. Never makes a file and
  // never follows a symbolic link in the last place of `path`.
  explicit Database(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& path() const { return path_; }
  bool read_only() const;
  // The path no longer leads to the file that is open.
  bool moved() const;
  // SQLite reported an error: the connection is to be closed and the file opened again.
  bool broken() const { return broken_; }

  // The file's count of commits by anybody (file format, section 1.3.7, "File change counter"),
  // read without a lock. 0: it cannot be read; then the next transaction tells why.
  uint32_t CommitsSeen() const;
  // Rows that this connection has changed since it was opened.
  int64_t changes() const { return sqlite3_total_changes64(connection_); }

  Statement Prepare(std::string_view sql);
  // One statement without result, and its number of changed rows.
  template <typename... Values>
  int64_t Run(std::string_view sql, const Values&... values) {
    Prepare(sql).Bind(values...).Step();
    return sqlite3_changes64(connection_);
  }
  // The integer in the first column of the only row; none when there is no row.
  template <typename... Values>
  std::optional<int64_t> Number(std::string_view sql, const Values&... values) {
    Statement query = Prepare(sql);
    return query.Bind(values...).Step() ? std::optional(query.Int(0)) : std::nullopt;
  }
  // Any number of statements without parameters: schemas and settings.
  void Script(const std::string& sql);

 private:
  friend class Statement;
  friend class Transaction;

  static int OnBusy(void* self, int calls);
  void Configure();
  void Close() noexcept;
  void Check(int code, std::string_view doing);
  void GiveBack(sqlite3_stmt* statement) noexcept;

  std::string path_;
  sqlite3* connection_ = nullptr;
  std::multimap<std::string, sqlite3_stmt*, std::less<>> idle_;  // statements by their text
  std::chrono::steady_clock::time_point give_up_;                // of the current wait for a lock
  bool broken_ = false;
};

// Rolls back in its destructor unless committed. Write: BEGIN IMMEDIATE, the only writer from the
// start.
class Transaction {
 public:
  enum class Kind { Read, Write };
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void Commit();

 private:
  Database& database_;
};

}  // namespace keyscope::store
