#include <utility>

#include "base/error.h"
#include "store/database.h"

namespace keyscope::store {

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() {
  if (statement_ != nullptr) database_->GiveBack(statement_);
}

void Statement::BindAt(int index, int64_t value) {
  Check(sqlite3_bind_int64(statement_, index, value));
}

void Statement::BindAt(int index, std::string_view value) {
  const char* data = value.empty() ? "" : value.data();  // a null pointer would bind NULL
  Check(sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::BindAt(int index, ByteView value) {
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  Check(sqlite3_bind_blob64(statement_, index, data, value.size(), SQLITE_TRANSIENT));
}

void Statement::BindAt(int index, const Bytes* value) {
  if (value != nullptr) return BindAt(index, ByteView(*value));
  Check(sqlite3_bind_null(statement_, index));
}

bool Statement::Step() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_TOOBIG && sqlite3_stmt_readonly(statement_) != 0)
    throw Error(Fault::Corrupt, "store " + database_->path() +
                                    ": a row holds more than any that was written; delete it");
  if (code != SQLITE_DONE) Check(code);
  return false;
}

void Statement::Rewind() { sqlite3_reset(statement_); }

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t Statement::Int(int column) const {
  Require(column, SQLITE_INTEGER);
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::Text(int column) const {
  Require(column, SQLITE_TEXT);
  const unsigned char* text = sqlite3_column_text(statement_, column);
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return text == nullptr ? std::string() : AsString({text, size});
}

Bytes Statement::Blob(int column) const {
  Require(column, SQLITE_BLOB);
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? Bytes() : Copy({data, size});
}

void Statement::Require(int column, int type) const {
  if (sqlite3_column_type(statement_, column) == type) return;
  throw Error(Fault::Corrupt, "store " + database_->path() + ": column " +
                                  sqlite3_column_name(statement_, column) +
                                  " of a row holds a value of a wrong type");
}

void Statement::Check(int code) {
  if (code != SQLITE_OK) database_->Check(code, sqlite3_sql(statement_));
}

}  // namespace keyscope::store
