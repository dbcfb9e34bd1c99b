// ObjectStore: the objects of one token in one SQLite file. Records in, records out, no PKCS#11
// meaning: attribute types are numbers, bodies and index tags are bytes (encrypted or not, the
// store cannot tell).
//
// Thread-safe: one connection behind one mutex, so a `change` callback must not call the store.
// Every write is one BEGIN IMMEDIATE transaction: an acknowledged change is on disk, an
// unacknowledged one is whole or absent; what a callback throws rolls back and goes on to the
// caller. Other processes' changes, a file that appears, goes or is exchanged included, are seen by
// the next call. Where there is no file, reads find nothing and make nothing.
//
// Every failure is an Error with a Fault: Busy (locked for 15 seconds), NoSpace, Corrupt (no store
// of ours, a newer one, a damaged page, or only the row that was asked for), ReadOnly, Denied
// (rights, links, or a store of the other scope), KeyGone (no such token), Io, Internal. After Io a
// change may have been made: whole, or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/scope.h"
#include "store/files.h"

namespace keyscope::store {

// A sealed PIN object: its two halves, opaque.
struct SealedRow {
  Bytes public_area;
  Bytes private_area;
  bool operator==(const SealedRow&) const = default;
};

struct TokenRow {
  Bytes epoch;  // 16 random bytes, new with every C_InitToken: tells a re-initialised token from
                // the old one
  std::string label;
  std::string serial;
  int64_t root_handle = 0;
  Bytes root_public, root_name;
  SealedRow so_pin;
  std::optional<SealedRow> user_pin;
  bool login_required = true;
  int64_t so_pin_tries =
      0;  // wrong PINs since the last right one, as far as known: for the token flags
  int64_t user_pin_tries = 0;
  std::map<std::string, std::string> facts;  // of the TPM, learnt at C_InitToken
};

// The hardware half of a key object.
struct KeyMaterialRow {
  Bytes public_area, private_area;  // KeyBlob
  Bytes auth;                       // the key's auth value, encrypted under the token secret
  // Where the hardware keeps the key: at a persistent handle, where `name` tells it from another
  // one, or (0) under `name`. Neither: nowhere.
  int64_t handle = 0;
  Bytes name = {};
  bool kept() const { return handle != 0 || !name.empty(); }
};

// One searchable attribute value: for public objects the tag is made of the value, for private ones
// it is a keyed blind index. Made by token/.
struct IndexEntry {
  int64_t type = 0;
  Bytes tag;
  bool operator==(const IndexEntry&) const = default;
};

struct ObjectRow {
  int64_t id = 0;                   // set by Insert; never used again after a delete
  Bytes uid;                        // 16 random bytes; with the id and the scope it never changes
  KeyScope scope = KeyScope::User;  // that of the store
  int64_t object_class = 0;
  bool is_private = false;
  Bytes body;  // the encoded attribute set, encrypted when is_private
  std::vector<IndexEntry> index;
  std::optional<KeyMaterialRow> material;  // private keys
  std::string ak_id;  // uid (hex) of the AK that attested this key, an AK's own; empty: none
};

// A row, no such row, or why it does not decode.
struct LoadedRow {
  std::optional<ObjectRow> row{};
  std::optional<Error> corrupt{};
};

struct Query {
  std::optional<int64_t> object_class{};
  bool with_private = false;  // also objects with is_private
  // Each inner list holds the alternatives for one attribute (its public tag, its blind tag).
  std::vector<std::vector<IndexEntry>> all_of{};
};

// The reason of what is noted before it is made.
inline constexpr char kUnfinished[] = "its making was not finished";

// A key in hardware that is to be erased: noted before a named or persistent key is made and when
// its row is deleted, cleared when the key's row is inserted or the hardware no longer holds it.
// There is one note for a uid: noting it again replaces the reason and counts an attempt.
struct PendingErase {
  int64_t id = 0;
  Bytes uid;  // 16 bytes, the key's
  KeyScope scope = KeyScope::User;
  int64_t handle = 0;  // TPM persistent handle; 0 for a named key
  Bytes name = {};     // of the key at the handle; the name under which the hardware keeps it
  std::string reason;
  int64_t attempts = 0;
};

class Database;

// Equal versions: nothing was written meanwhile, by this process or another.
struct Version {
  uint64_t opened = 0;
  int64_t others = 0, own = 0;
  bool operator==(const Version&) const = default;
};

class ObjectStore {
 public:
  // `path`: the database file. It and its folder are made by InitToken (see files.h), not before.
  // Empty: there is no store, and none can be made (ReadOnly). Nothing is opened yet.
  ObjectStore(std::string path, KeyScope scope);
  ~ObjectStore();
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  // Whether this account or the file system could only read the store when it was opened.
  bool ReadOnly();
  // No file, or a file without a token: nullopt.
  std::optional<TokenRow> LoadToken();
  // Makes the store if there is none, deletes all objects as Delete does and writes the token row.
  // Pending erases stay. False, and nothing done, when `seen` is given and the token is not the one
  // that it tells of: none, or of that epoch.
  bool InitToken(const TokenRow& row, const std::optional<TokenRow>* seen = nullptr);
  // Reads, changes and writes the token row in one transaction. KeyGone when there is none or when
  // its epoch is not `epoch`.
  void ChangeToken(ByteView epoch, const std::function<void(TokenRow&)>& change);

  // All rows in one transaction (a key pair is two rows); sets their ids. KeyGone when there is no
  // token or its epoch is no longer `epoch`. A key that the hardware keeps has a pending erase,
  // which is cleared with it; Busy when that was claimed meanwhile.
  void Insert(ByteView epoch, std::vector<ObjectRow*> rows);
  // The row without its index. No such row: nullopt. Corrupt when it does not decode or is of the
  // other scope: rows do not move between stores.
  enum class Part : uint8_t { WithoutMaterial, All };
  std::optional<ObjectRow> Load(int64_t id, Part part = Part::All);
  // The rows of the first of `ids` without their material, in one transaction: at least one, and
  // more while their bodies have less than 64 KiB together.
  std::vector<LoadedRow> LoadSome(std::span<const int64_t> ids);
  // Reads, changes and writes one row in one transaction. False when there is no such row.
  bool Change(int64_t id, const std::function<void(ObjectRow&)>& change);
  // The ak_id of the row with this uid. No such row: nullopt.
  std::optional<std::string> AkIdOf(ByteView uid);
  // Deletes the row with its index and material. When the hardware keeps its key, that
  // becomes a pending erase in the same transaction, told in `noted`. Works for rows that do not
  // decode. False when there was no such row.
  bool Delete(int64_t id, std::optional<PendingErase>* noted = nullptr);
  // Ids above `after` in ascending order, at most `limit`. Costs as many steps as the rarest of the
  // asked attributes has objects, at most.
  std::vector<int64_t> Find(const Query& query, int64_t after, size_t limit);
  int64_t Count();
  // Costs two system calls when nothing was written since the last time.
  Version CurrentVersion();

  // Those of this scope.
  std::vector<PendingErase> PendingErases();
  // Those that are to be tried: a key whose making is not finished may have a maker who lives.
  std::vector<PendingErase> ErasesDue();
  // While a key is made that the hardware keeps: from before it is noted until its row is inserted.
  std::unique_ptr<Making> BeginMaking() { return std::make_unique<Making>(path_, scope_); }
  // The names under which the hardware keeps keys of this store: those of rows, and those that are
  // pending.
  std::set<Bytes> KeptNames();
  int64_t NotePendingErase(const PendingErase& erase);  // its id
  // To be called before the hardware is told to erase: counts an attempt. False when the note is
  // gone: the key has its row by now.
  bool ClaimPendingErase(int64_t id);
  void ClearPendingErase(int64_t id);

  // For pthread_atfork: LockForFork before the fork, so that no thread is inside SQLite, and
  // UnlockAfterFork after it in both processes. The child leaves this store as it is (closing it
  // would touch the parent's locks and journal) and opens one of its own.
  void LockForFork() { mutex_.lock(); }
  void UnlockAfterFork() { mutex_.unlock(); }

 private:
  enum class For { Reading, Writing };

  // These need mutex_.
  Database* Open(For use);  // nullptr: there is no store
  Database& OpenToken();    // for writing; KeyGone: there is no store
  std::optional<ObjectRow> ReadObject(Database& database, int64_t id, Part part);
  std::optional<ObjectRow> ReadOrMiss(Database& database, int64_t id, Part part);
  // `row` 0: the store itself (Denied), else a row of it (Corrupt). Logged once each.
  void RequireScope(KeyScope found, int64_t row);

  const std::string path_;
  const KeyScope scope_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
  uint64_t opened_ = 0;         // how often the file was
  Version version_;             // the last one,
  uint32_t commits_ = 0;        // and the file's count of commits at that time
  std::set<int64_t> reported_;  // rows of the other scope that the log has; 0: the store itself
};

}  // namespace keyscope::store
