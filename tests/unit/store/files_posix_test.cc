// The store's file and folder as POSIX has them: how they are made, and which ones are refused.
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

TEST_F(StoreTest, ModesAreExactUnderAnyUmask) {
  struct Case {
    KeyScope scope;
    mode_t folder, file;
  };
  for (Case wanted : {Case{KeyScope::User, 0700, 0600}, Case{KeyScope::Machine, 0750, 0640}}) {
    for (mode_t mask : {0, 077, 0777}) {
      const std::string parent = folder_ + "/parent", place = parent + "/keyscope",
                        file = place + "/db";
      const mode_t before = umask(mask);
      ObjectStore(file, wanted.scope).InitToken(NewToken());
      umask(before);
      EXPECT_EQ(ModeOf(parent), wanted.folder);
      EXPECT_EQ(ModeOf(place), wanted.folder);
      EXPECT_EQ(ModeOf(file), wanted.file);
      EXPECT_TRUE(ObjectStore(file, wanted.scope).LoadToken());
      auto files = std::distance(std::filesystem::directory_iterator(place), {});
      EXPECT_EQ(files, 1) << "nothing is left behind";
      std::filesystem::remove_all(parent);
    }
  }
}

TEST_F(StoreTest, JournalHasTheModeOfTheFile) {
  store_.InitToken(NewToken());
  const mode_t before = umask(0);
  mode_t journal = 0;
  store_.ChangeToken(kEpoch, [](TokenRow& row) { row.label = "before"; });
  ConnectionHook hook([&](sqlite3* db) {
    auto look = [](void* mode) {
      auto& [path, found] = *static_cast<std::pair<std::string, mode_t*>*>(mode);
      if (mode_t now = ModeOf(path + "-journal")) *found = now;
      return 0;
    };
    static std::pair<std::string, mode_t*> context;
    context = {path_, &journal};
    sqlite3_commit_hook(db, look, &context);
  });
  Reopen()->ChangeToken(kEpoch, [](TokenRow& row) { row.label = "after"; });
  umask(before);
  EXPECT_EQ(journal, 0600U);
}

TEST_F(StoreTest, LinksAndOddFilesAreRefused) {
  const std::string elsewhere = folder_ + "/elsewhere";
  ObjectStore(elsewhere, KeyScope::User).InitToken(NewToken());

  std::filesystem::create_symlink(elsewhere, path_);
  EXPECT_FAULT(Fault::Denied, store_.LoadToken());
  EXPECT_FAULT(Fault::Denied, store_.InitToken(NewToken()));
  std::filesystem::remove(path_);
  std::filesystem::create_symlink(folder_ + "/nowhere", path_);
  EXPECT_FAULT(Fault::Denied, store_.InitToken(NewToken()));
  std::filesystem::remove(path_);

  std::filesystem::create_hard_link(elsewhere, path_);
  EXPECT_FAULT(Fault::Denied, store_.LoadToken());
  std::filesystem::remove(path_);

  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FAULT(Fault::Denied, store_.LoadToken());
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_FAULT(Fault::Denied, store_.LoadToken());
}

TEST_F(StoreTest, FolderMayBeReachedThroughASymbolicLink) {
  const std::string real = folder_ + "/real", alias = folder_ + "/alias";
  std::filesystem::create_directory_symlink(real, alias);
  ObjectStore(real + "/db", KeyScope::User).InitToken(NewToken());
  ObjectStore store(alias + "/db", KeyScope::User);
  EXPECT_TRUE(store.LoadToken());
  EXPECT_NO_THROW(Add(store, NewObject(1)));
}

TEST_F(StoreTest, WhatOthersCanWriteIsRefused) {
  const std::string machine_path = folder_ + "/machine";
  ObjectStore(machine_path, KeyScope::Machine).InitToken(NewToken());
  store_.InitToken(NewToken());
  for (mode_t mode : {0602, 0620}) {
    chmod(path_.c_str(), mode);
    EXPECT_FAULT(Fault::Denied, Reopen()->LoadToken()) << mode;
  }
  chmod(path_.c_str(), 0600);
  for (mode_t mode : {0702, 0720}) {
    chmod(folder_.c_str(), mode);
    EXPECT_FAULT(Fault::Denied, Reopen()->LoadToken()) << mode;
  }
  chmod(machine_path.c_str(), 0660);
  chmod(folder_.c_str(), 0770);
  EXPECT_TRUE(ObjectStore(machine_path, KeyScope::Machine).LoadToken());
  chmod(folder_.c_str(), 0772);
  EXPECT_FAULT(Fault::Denied, ObjectStore(machine_path, KeyScope::Machine).LoadToken());
}

TEST_F(StoreTest, UserStoreOfAnotherAccountIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give the file away";
  store_.InitToken(NewToken());
  ASSERT_EQ(chown(path_.c_str(), 12345, 0), 0);
  Thrown thrown = Catch([&] { Reopen()->LoadToken(); });
  EXPECT_EQ(thrown.fault, Fault::Denied);
  EXPECT_NE(thrown.text.find("owner 12345"), std::string::npos) << thrown.text;
}

TEST_F(StoreTest, UnreadableStoreNamesPathAndGroup) {
  store_.InitToken(NewToken());
  for (const std::string& closed : {path_, folder_}) {
    const mode_t before = ModeOf(closed);
    chmod(closed.c_str(), 0);
    EXPECT_EQ(InChildAsOwner(folder_,
                             [&] {
                               Thrown thrown = Catch([&] { Reopen()->LoadToken(); });
                               const std::string group = getgrgid(getegid())->gr_name;
                               bool told = thrown.text.find(path_) != std::string::npos &&
                                           thrown.text.find("group " + group) != std::string::npos;
                               return thrown.fault == Fault::Denied && told ? 0 : 1;
                             }),
              0)
        << closed;
    chmod(closed.c_str(), before);
  }
}

TEST_F(StoreTest, ReadOnlyStoreIsReadAndNotWritten) {
  store_.InitToken(NewToken());
  int64_t id = Add(store_, NewObject(1));
  struct Case {
    mode_t folder, file;
  };
  for (Case mode : {Case{0700, 0400}, Case{0500, 0400}, Case{0500, 0600}}) {
    chmod(path_.c_str(), mode.file);
    chmod(folder_.c_str(), mode.folder);
    EXPECT_EQ(
        InChildAsOwner(folder_,
                       [&] {
                         auto store = Reopen();
                         if (!store->LoadToken() || !store->Load(id)) return 1;
                         if (store->Find({.all_of = {{{kIdType, Tag(1)}}}}, 0, 10).size() != 1)
                           return 2;
                         if (Catch([&] { Add(*store, NewObject(2)); }).fault != Fault::ReadOnly)
                           return 3;
                         if (Catch([&] { store->Delete(id); }).fault != Fault::ReadOnly) return 4;
                         if (Catch([&] { store->InitToken(NewToken()); }).fault != Fault::ReadOnly)
                           return 5;
                         if (!store->Load(id)) return 6;
                         chmod(path_.c_str(), 0600);
                         chmod(folder_.c_str(), 0700);
                         return Add(*store, NewObject(getpid())) > id ? 0 : 7;
                       }),
        0)
        << std::oct << mode.folder << " " << mode.file;
  }
}

TEST_F(StoreTest, FileThatAppearsGoesOrIsExchangedIsNoticed) {
  EXPECT_FALSE(store_.LoadToken());
  Reopen()->InitToken(NewToken());
  EXPECT_EQ(store_.LoadToken()->label, "label");
  Add(store_, NewObject(1));

  std::filesystem::remove(path_);
  EXPECT_FALSE(store_.LoadToken());
  EXPECT_FAULT(Fault::KeyGone, Add(store_, NewObject(2)));

  TokenRow next = NewToken(Bytes(16, 1));
  next.label = "next";
  Reopen()->InitToken(next);
  EXPECT_EQ(store_.LoadToken()->label, "next");
  EXPECT_EQ(store_.Count(), 0);
}

// A process that dies inside a transaction leaves a hot journal and a half-written file.
void DieInTransaction(const std::string& path) {
  InChild([&]() -> int {
    sqlite3* db = nullptr;
    sqlite3_open(path.c_str(), &db);
    sqlite3_exec(db,
                 "PRAGMA cache_size=1; BEGIN IMMEDIATE; UPDATE object SET body=zeroblob(500000)",
                 nullptr, nullptr, nullptr);
    _exit(0);
  });
  ASSERT_GT(std::filesystem::file_size(path + "-journal"), 512U);
}

TEST_F(StoreTest, InterruptedChangeIsRolledBackByWhoMayWrite) {
  store_.InitToken(NewToken());
  int64_t id = Add(store_, NewObject(1));
  DieInTransaction(path_);
  ASSERT_GT(std::filesystem::file_size(path_), 500000U);
  chmod(path_.c_str(), 0400);
  EXPECT_EQ(InChildAsOwner(folder_,
                           [&] {
                             if (Catch([&] { Reopen()->Load(id); }).fault != Fault::ReadOnly)
                               return 1;
                             chmod(path_.c_str(), 0600);
                             return Reopen()->Load(id)->body == NewObject(1).body ? 0 : 2;
                           }),
            0);
}

TEST_F(StoreTest, JournalOfADeletedStoreDoesNotReachTheNewOne) {
  store_.InitToken(NewToken());
  Add(store_, NewObject(1));
  DieInTransaction(path_);
  std::filesystem::remove(path_);
  TokenRow fresh = NewToken(Bytes(16, 9));
  store_.InitToken(fresh);
  EXPECT_EQ(Reopen()->LoadToken()->epoch, fresh.epoch);
  EXPECT_EQ(Reopen()->Count(), 0);
}

TEST_F(StoreTest, FullDiskIsNoSpaceAndLeavesTheStoreUsable) {
  store_.InitToken(NewToken());
  int64_t id = Add(store_, NewObject(1));
  auto body = [&] {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{std::filesystem::file_size(path_), RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto store = Reopen();
    ObjectRow large = NewObject(2);
    large.body.resize(100000);
    if (Catch([&] { Add(*store, large); }).fault != Fault::NoSpace) return 1;
    if (store->Count() != 1 || !store->Load(id)) return 2;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    return Add(*store, large) > id ? 0 : 3;
  };
  EXPECT_EQ(InChild(body), 0);
  EXPECT_EQ(store_.Count(), 2);
}

}  // namespace
}  // namespace keyscope::store
