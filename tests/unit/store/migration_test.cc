// Stores made by hand, of version 0, become stores of today: whole or not at all.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

constexpr char kVersion0[] = R"sql(
CREATE TABLE token(label, serial, epoch, root_handle, root_public, root_name, so_public, so_private,
                   user_public, user_private, login_required);
CREATE TABLE object(id INTEGER PRIMARY KEY, uid, class, private, body);
CREATE TABLE attribute(object_id REFERENCES object(id) ON DELETE CASCADE, type, tag);
CREATE TABLE key_material(object_id REFERENCES object(id) ON DELETE CASCADE, public_area, private_area, auth);
INSERT INTO token VALUES('old', 'serial', x'0e', 129, x'01', x'02', x'03', x'04', x'05', x'06', 1);
INSERT INTO object VALUES(5, x'00112233445566778899aabbccddeeff', 3, 1, x'b0d1');
INSERT INTO object VALUES(7, x'10112233445566778899aabbccddeeff', 2, 0, x'b0d2');
INSERT INTO object VALUES(9, 'no uid', 2, 0, x'b0d3');
INSERT INTO attribute VALUES(5, 258, x'aa');
INSERT INTO attribute VALUES(7, 258, x'aa');
INSERT INTO attribute VALUES(9, 258, x'aa');
INSERT INTO key_material VALUES(5, x'11', x'22', x'33');
)sql";

// Files that somebody has not finished making.
int Unfinished(const std::string& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    count += entry.path().filename().string().find(".new-") != std::string::npos ? 1 : 0;
  return count;
}

class MigrationTest : public StoreTest {
 protected:
  MigrationTest() {
    Sql(path_, kVersion0);
    chmod(path_.c_str(), 0600);
  }

  static void ExpectUpgraded(ObjectStore& store) {
    TokenRow token = store.LoadToken().value();
    EXPECT_EQ(token.label, "old");
    EXPECT_EQ(token.epoch, Bytes{0x0e});
    EXPECT_EQ(token.user_pin->private_area, Bytes{6});
    EXPECT_EQ(store.Count(), 2);
    ObjectRow key = store.Load(5).value();
    EXPECT_EQ(key.scope, KeyScope::User);
    EXPECT_TRUE(key.is_private);
    EXPECT_EQ(key.body, (Bytes{0xb0, 0xd1}));
    EXPECT_EQ(key.material->auth, Bytes{0x33});
    Query by_tag{.with_private = true, .all_of = {{{258, {0xaa}}}}};
    EXPECT_EQ(store.Find(by_tag, 0, 10), (std::vector<int64_t>{5, 7}));
  }
};

TEST_F(MigrationTest, UpgradesAndKeepsACopy) {
  const std::string old = Read(path_);
  ExpectUpgraded(store_);
  EXPECT_EQ(Sql(path_, "PRAGMA user_version"), 1);
  EXPECT_EQ(Sql(path_, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'old%'"), 0);
  EXPECT_EQ(ModeOf(path_ + ".v0"), 0600U);
  EXPECT_EQ(Sql(path_ + ".v0", "PRAGMA user_version"), 0);
  EXPECT_EQ(Sql(path_ + ".v0", "SELECT count(*) FROM object"), 3) << "the unreadable one included";
  ObjectRow next = NewObject(1);
  store_.Insert(Bytes{0x0e}, {&next});
  EXPECT_GT(next.id, 7);
  EXPECT_TRUE(store_.Delete(5));
  EXPECT_EQ(Sql(path_, "SELECT count(*) FROM key_material"), 0);

  // The copy is a whole store: put back, it upgrades again.
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
