// Stores made by hand, of version 0, become stores of today: whole or not at all.
#include "tests/unit/store/migration.h"

namespace keyscope::store {
namespace {

TEST_F(MigrationTest, UpgradesAndKeepsACopy) {
  const std::string old = Read(path_);
  ExpectUpgraded(*Reopen());
  EXPECT_EQ(Sql(path_, "PRAGMA user_version"), 1);
  EXPECT_EQ(Sql(path_, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'old%'"), 0);
  EXPECT_EQ(Sql(path_ + ".v0", "PRAGMA user_version"), 0);
  EXPECT_EQ(Sql(path_ + ".v0", "SELECT count(*) FROM object"), 3) << "the unreadable one included";
  ObjectRow next = NewObject(1);
  const auto store = Reopen();
  store->Insert(Bytes{0x0e}, {&next});
  EXPECT_GT(next.id, 7);
  EXPECT_TRUE(store->Delete(5));
  EXPECT_EQ(Sql(path_, "SELECT count(*) FROM key_material"), 0);
}

TEST_F(MigrationTest, TheCopyIsAWholeStoreThatUpgradesAgain) {
  ExpectUpgraded(*Reopen());
  std::filesystem::rename(path_ + ".v0", path_);
  ExpectUpgraded(*Reopen());
}

TEST_F(MigrationTest, CopyOfAnEarlierUpgradeIsKept) {
  Write(path_ + ".v0", "an earlier one");
  ExpectUpgraded(store_);
  EXPECT_EQ(Read(path_ + ".v0"), "an earlier one");
  EXPECT_EQ(Sql(path_ + ".v0.1", "SELECT count(*) FROM object"), 3);
}

TEST_F(MigrationTest, ReadsAsUserScopeAtTheMachinesPlace) {
  const std::string old = Read(path_);
  EXPECT_FAULT(Fault::Denied, Reopen(KeyScope::Machine)->LoadToken());
  EXPECT_EQ(Read(path_), old);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".v0"));
}

}  // namespace
}  // namespace keyscope::store
