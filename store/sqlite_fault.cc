#include "store/sqlite_fault.h"

#include <algorithm>
#include <iterator>
#include <new>

#include "store/system_fault.h"

namespace keyscope::store {
namespace {

struct Meaning {
  int code;  // extended, or the primary code for all its extended codes without a row of their own
  Fault fault;
  const char* hint;
};

constexpr Meaning kOutOfSpace = {SQLITE_FULL, Fault::NoSpace, "free space on the store's disk"};
constexpr Meaning kUnreadable = {SQLITE_IOERR, Fault::Io,
                                 "the disk could not be read or written: see the system's log"};
constexpr Meaning kUnexpected = {-1, Fault::Internal, "this is not expected"};
constexpr Meaning kMeanings[] = {
    kOutOfSpace,
    // The SQL is constant, so a statement that does not compile means foreign tables.
    {SQLITE_ERROR, Fault::Corrupt, "its tables are not those of a Keyscope store: restore it"},
    {SQLITE_SCHEMA, Fault::Corrupt, "its tables are not those of a Keyscope store: restore it"},
    {SQLITE_CORRUPT, Fault::Corrupt,
     "restore it from a copy, or move it away and initialize the token anew"},
    {SQLITE_NOTADB, Fault::Corrupt, "this is no SQLite file: move it away or restore it"},
    {SQLITE_IOERR_DATA, Fault::Corrupt, "check the file system"},
    {SQLITE_IOERR_SHORT_READ, Fault::Corrupt, "the file is cut off: restore it"},
    kUnreadable,
    {SQLITE_BUSY, Fault::Busy, "another process kept the store locked: try again"},
    {SQLITE_PROTOCOL, Fault::Busy, "another process kept the store locked: try again"},
    {SQLITE_READONLY_DBMOVED, Fault::Busy, "the file was replaced during the call: try again"},
    {SQLITE_READONLY_ROLLBACK, Fault::ReadOnly,
     "an interrupted change is to be rolled back first: use the store once as its owner"},
    {SQLITE_READONLY, Fault::ReadOnly, "this account or file system may only read the store"},
    {SQLITE_CANTOPEN, Fault::Denied, "check the rights of the file, its journal and its folder"},
    {SQLITE_PERM, Fault::Denied, "check the rights of the file, its journal and its folder"},
    {SQLITE_AUTH, Fault::Denied, "check the rights of the file, its journal and its folder"},
    {SQLITE_TOOBIG, Fault::NoSpace, "the value is larger than the store takes"},
};

constexpr int kPrimary = 0xff;  // the bits of the primary code in an extended one

// Whether the system's own code for the failure means `fault`.
bool SystemSaid(sqlite3* db, Fault fault) {
  int last = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &last);
  return FaultOfSystem(last) == fault || FaultOfSystem(sqlite3_system_errno(db)) == fault;
}

// SQLite says FULL for ENOSPC only, IOERR for a quota or a file size limit, and CORRUPT where a
// read failed with EIO: what could not be read is not damaged.
const Meaning* SystemMeaning(sqlite3* db, int primary) {
  if (primary == SQLITE_IOERR && SystemSaid(db, Fault::NoSpace)) return &kOutOfSpace;
  if (primary == SQLITE_CORRUPT && SystemSaid(db, Fault::Io)) return &kUnreadable;
  return nullptr;
}

// Tells running out of memory as the C++ library does.
const Meaning& MeaningOf(int code) {
  if ((code & kPrimary) == SQLITE_NOMEM) throw std::bad_alloc();
  for (int wanted : {code, code & kPrimary}) {
    auto found = std::find_if(std::begin(kMeanings), std::end(kMeanings),
                              [wanted](const Meaning& row) { return row.code == wanted; });
    if (found != std::end(kMeanings)) return *found;
  }
  return kUnexpected;
}

}  // namespace

Error SqliteError(sqlite3* db, int code, const std::string& what) {
  // The connection's own code and words, when they are about this failure.
  bool current = db != nullptr && (sqlite3_errcode(db) & kPrimary) == (code & kPrimary);
  int extended = current ? sqlite3_extended_errcode(db) : code;
  std::string words = current ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  const Meaning* system = current ? SystemMeaning(db, code & kPrimary) : nullptr;
  const Meaning& meaning = system != nullptr ? *system : MeaningOf(extended);
  return Error(
      meaning.fault,
      what + ": " + words + " (SQLite code " + std::to_string(extended) + "); " + meaning.hint,
      static_cast<uint32_t>(extended));
}

}  // namespace keyscope::store
