#include "store/object_store.h"

#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "store/database.h"
#include "store/files.h"
#include "store/pending_erase.h"
#include "store/schema.h"
#include "store/token_row.h"

namespace keyscope::store {

ObjectStore::ObjectStore(std::string path, KeyScope scope)
    : path_(std::move(path)), scope_(scope) {}
ObjectStore::~ObjectStore() = default;

Database* ObjectStore::Open(For use) {
  const bool writing = use == For::Writing;
  if (path_.empty()) {
    if (!writing) return nullptr;
    throw Error(Fault::ReadOnly,
                "the " + std::string(Name(scope_)) +
                    " token has no folder for a store: the account has no home, or "
                    "the configuration names none");
  }
  if (database_ != nullptr &&
      (database_->broken() || database_->moved() || (writing && database_->read_only())))
    database_.reset();
  if (database_ == nullptr) {
    if (!CheckStoreFile(path_, scope_)) return nullptr;
    auto database = std::make_unique<Database>(path_);
    const int version = StoreVersion(*database);
    RequireScope(StoreScope(*database, version), 0);
    Upgrade(*database, version);
    database_ = std::move(database);
    ++opened_;
  }
  if (writing && database_->read_only())
    throw Error(Fault::ReadOnly,
                "store " + path_ + ": this account or file system may only read it");
  return database_.get();
}

Database& ObjectStore::OpenToken() {
  Database* database = Open(For::Writing);
  if (database == nullptr)
    throw Error(Fault::KeyGone, "store " + path_ + " does not exist: initialize the token");
  return *database;
}

void ObjectStore::RequireScope(KeyScope found, int64_t row) {
  if (found == scope_) return;
  const std::string text =
      "store " + path_ + ": " + (row == 0 ? "it" : "row " + std::to_string(row)) + " has " +
      std::string(Name(found)) + " scope and is in the " + std::string(Name(scope_)) +
      " store's place; " + (row == 0 ? "stores" : "rows") +
      " do not move between scopes: move it back";
  if (reported_.insert(row).second) log::Warn(text);
  throw Error(row == 0 ? Fault::Denied : Fault::Corrupt, text);
}

Version ObjectStore::CurrentVersion() {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return {};
  const uint32_t commits = database->CommitsSeen();
  if (commits != 0 && commits == commits_ && version_.opened == opened_) return version_;
  // The count may be of a commit that is not complete, or will be rolled back. Under a lock it is
  // not.
  Transaction transaction(*database, Transaction::Kind::Read);
  version_ = {opened_, database->Number("PRAGMA data_version").value_or(0), database->changes()};
  commits_ = database->CommitsSeen();
  return version_;
}

bool ObjectStore::ReadOnly() {
  std::lock_guard lock(mutex_);
  const Database* database = Open(For::Reading);
  return database != nullptr && database->read_only();
}

std::optional<TokenRow> ObjectStore::LoadToken() {
  std::lock_guard lock(mutex_);
  Database* database = Open(For::Reading);
  if (database == nullptr) return std::nullopt;
  Transaction transaction(*database, Transaction::Kind::Read);
  return ReadToken(*database);
}

bool ObjectStore::InitToken(const TokenRow& row, const std::optional<TokenRow>* seen) {
  std::lock_guard lock(mutex_);
  Database* database = nullptr;
  while ((database = Open(For::Writing)) == nullptr) {
    bool made = CreateStoreFile(path_, scope_, [&](const std::string& file) {
      Database fresh(file);
      Transaction transaction(fresh, Transaction::Kind::Write);
      CreateTables(fresh);
      WriteToken(fresh, row, scope_);
      transaction.Commit();
    });
    if (made) return true;
  }
  Transaction transaction(*database, Transaction::Kind::Write);
  if (seen != nullptr) {
    const std::optional<TokenRow> there = ReadToken(*database);
    if (there.has_value() != seen->has_value() || (there && there->epoch != (*seen)->epoch))
      return false;
  }
  NoteErasesOfObjects(*database, scope_, "its token was initialized anew");
  database->Run("DELETE FROM object");
  WriteToken(*database, row, scope_);
  transaction.Commit();
  return true;
}

void ObjectStore::ChangeToken(ByteView epoch, const std::function<void(TokenRow&)>& change) {
  std::lock_guard lock(mutex_);
  Database& database = OpenToken();
  Transaction transaction(database, Transaction::Kind::Write);
  RequireEpoch(database, epoch);
  TokenRow row = ReadToken(database).value();
  change(row);
  WriteToken(database, row, scope_);
  transaction.Commit();
}

}  // namespace keyscope::store
