// What an SQLite result code means to a caller of the store.
#pragma once

#include <sqlite3.h>

#include <string>

#include "base/error.h"

namespace keyscope::store {

// `what`: what failed, and on which file. `code`: a result code of the connection `db` (extended or
// not); its native code, SQLite's own words and a hint become part of the Error.
Error SqliteError(sqlite3* db, int code, const std::string& what);

}  // namespace keyscope::store
