// Processes that die in the middle of a migration or of C_InitToken, or may not write.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store/migration.h"

namespace keyscope::store {
namespace {

// Files that somebody has not finished making.
int Unfinished(const std::string& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    count += entry.path().filename().string().find(".new-") != std::string::npos ? 1 : 0;
  return count;
}

TEST_F(MigrationTest, TheCopyHasTheModeOfTheStore) {
  ExpectUpgraded(store_);
  EXPECT_EQ(ModeOf(path_ + ".v0"), 0600U);
}

TEST_F(MigrationTest, IsRefusedWithoutTheRightToWrite) {
  const std::string old = Read(path_);
  chmod(path_.c_str(), 0400);
  EXPECT_EQ(
      InChildAsOwner(
          folder_,
          [&] { return Catch([&] { Reopen()->LoadToken(); }).fault == Fault::ReadOnly ? 0 : 1; }),
      0);
  EXPECT_EQ(Read(path_), old);
}

// Ends the process before the n-th statement that SQLite runs, those inside VACUUM and scripts
// included.
void DieBeforeStatement(int n) {
  static int left;
  left = n;
  static ConnectionHook& hook = *new ConnectionHook([](sqlite3* db) {
    auto count = [](unsigned, void*, void*, void*) -> int {
      if (left-- == 0) _exit(1);
      return 0;
    };
    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count, nullptr);
  });
  (void)hook;
}

TEST_F(MigrationTest, KilledAnywhereLeavesOldOrNew) {
  const std::string old = Read(path_);
  int deaths_old = 0, deaths_new = 0;
  for (int n = 0;; ++n) {
    Write(path_, old);
    std::filesystem::remove(path_ + ".v0");
    int status = InChild([&] {
      DieBeforeStatement(n);
      return Reopen()->LoadToken() ? 0 : 2;
    });
    if (status == 0) break;
    ASSERT_EQ(status, 1);
    ++(Sql(path_, "PRAGMA user_version") == 0 ? deaths_old : deaths_new);
    ExpectUpgraded(*Reopen());
    EXPECT_EQ(Sql(path_ + ".v0", "SELECT count(*) FROM object"), 3)
        << "killed before statement " << n;
    EXPECT_EQ(Unfinished(folder_), 0) << "killed before statement " << n;
  }
  EXPECT_GT(deaths_old, 30);
  EXPECT_GT(deaths_new, 0);
}

TEST_F(StoreTest, InitTokenKilledAnywhereLeavesNoneOrAWholeOne) {
  int deaths = 0;
  for (int n = 0;; ++n) {
    std::filesystem::remove(path_);
    int status = InChild([&] {
      DieBeforeStatement(n);
      store_.InitToken(NewToken());
      return 0;
    });
    if (status == 0) break;
    ASSERT_EQ(status, 1);
    ++deaths;
    auto store = Reopen();
    EXPECT_FALSE(store->LoadToken());
    store->InitToken(NewToken());
    EXPECT_EQ(store->LoadToken()->label, "label");
    EXPECT_EQ(Unfinished(folder_), 0) << "killed before statement " << n;
  }
  EXPECT_GT(deaths, 20);
}

TEST_F(StoreTest, RemainsOfTheDeadAreRemovedAndNothingElse) {
  std::vector<std::string> kept = {path_ + ".backup", path_ + ".v0", path_ + ".new-living",
                                   path_ + ".new-living-journal"};
  for (const std::string& name : kept) Write(name, "mine");
  Write(path_ + ".new-corpse", "dead");
  Write(path_ + ".new-corpse-journal", "dead");
  Write(path_ + ".new-orphan-journal", "dead");
  const int living = open((path_ + ".new-living").c_str(), O_RDONLY);
  ASSERT_EQ(flock(living, LOCK_EX), 0);
  store_.InitToken(NewToken());
  close(living);
  kept.push_back(path_);
  for (const std::string& name : kept) EXPECT_TRUE(std::filesystem::exists(name)) << name;
  EXPECT_EQ(Unfinished(folder_), 2) << "the living one's";
}

}  // namespace
}  // namespace keyscope::store
