// Objects and pending erases: in, out, changed, deleted, each call whole or absent.
#include <algorithm>

#include "base/log.h"
#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

class ObjectTest : public StoreTest {
 protected:
  ObjectTest() { store_.InitToken(NewToken()); }

  ObjectRow FullObject() {
    ObjectRow row = NewObject(1);
    row.is_private = true;
    row.ak_id = "00ff";
    row.index.push_back({3, {}});
    row.material = KeyMaterialRow{{1}, {2, 2}, Copy(AsBytes("the auth value of the key"))};
    return row;
  }
  // A key that the hardware keeps, noted as who makes one has to.
  ObjectRow Persistent(int64_t number) {
    ObjectRow row = NewObject(number);
    row.material = KeyMaterialRow{{1}, {2}, {3}, kHandle, {0, 11}};
    store_.NotePendingErase({.uid = row.uid, .handle = kHandle, .reason = "being made"});
    return row;
  }
  static constexpr int64_t kHandle = 0x81008000;
};

TEST_F(ObjectTest, RoundTrip) {
  ObjectRow row = FullObject();
  int64_t id = Add(store_, row);
  ObjectRow read = Reopen()->Load(id).value();
  EXPECT_EQ(read.id, id);
  EXPECT_EQ(read.uid, row.uid);
  EXPECT_EQ(read.scope, KeyScope::User);
  EXPECT_EQ(read.object_class, 3);
  EXPECT_TRUE(read.is_private);
  EXPECT_EQ(read.body, row.body);
  EXPECT_EQ(read.ak_id, row.ak_id);
  EXPECT_EQ(Sql(path_, "SELECT count(*) FROM attribute"), 2);
  ASSERT_TRUE(read.material);
  EXPECT_EQ(read.material->public_area, row.material->public_area);
  EXPECT_EQ(read.material->private_area, row.material->private_area);
  EXPECT_EQ(read.material->auth, row.material->auth);
}

TEST_F(ObjectTest, PairIsInsertedWholeOrNotAtAll) {
  ObjectRow first = NewObject(1), second = NewObject(2), twin = NewObject(1);
  EXPECT_FAULT(Fault::Internal, store_.Insert(kEpoch, {&first, &twin}));
  EXPECT_EQ(first.id, 0);
  EXPECT_EQ(store_.Count(), 0);
  store_.Insert(kEpoch, {&first, &second});
  EXPECT_EQ(store_.Count(), 2);
  EXPECT_LT(first.id, second.id);
}

TEST_F(ObjectTest, RowOfTheOtherScopeIsRefused) {
  ObjectRow machine = NewObject(1);
  machine.scope = KeyScope::Machine;
  EXPECT_FAULT(Fault::Internal, store_.Insert(kEpoch, {&machine}));

  int64_t moved = Add(store_, NewObject(2)), good = Add(store_, NewObject(3));
  Sql(path_, "UPDATE object SET scope = 1 WHERE id = " + std::to_string(moved));
  const std::string log = folder_ + "/log";
  log::Configure(log::Level::Warn, log);
  for (int i = 0; i < 2; ++i) EXPECT_FAULT(Fault::Corrupt, store_.Load(moved));
  log::Configure(log::Level::Silent, "");
  EXPECT_FAULT(Fault::Corrupt, store_.Change(moved, [](ObjectRow&) { FAIL(); }));
  const std::string lines = Read(log);
  EXPECT_NE(lines.find("machine scope"), std::string::npos) << lines;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
  EXPECT_TRUE(store_.Load(good)) << "one bad row does not hide the others";
  EXPECT_TRUE(store_.Delete(moved));
}

TEST_F(ObjectTest, RowThatDoesNotDecodeIsCorruptAlone) {
  int64_t scope = Add(store_, NewObject(1)), uid = Add(store_, NewObject(2)),
          good = Add(store_, NewObject(3));
  Sql(path_, "UPDATE object SET scope = 7 WHERE id = " + std::to_string(scope));
  Sql(path_, "UPDATE object SET uid = x'00' WHERE id = " + std::to_string(uid));
  EXPECT_FAULT(Fault::Corrupt, store_.Load(scope));
  EXPECT_FAULT(Fault::Corrupt, store_.Load(uid));
  EXPECT_TRUE(store_.Load(good));
  EXPECT_EQ(store_.Find({}, 0, 10).size(), 3U);
}

TEST_F(ObjectTest, SomeAreLoadedAtATime) {
  const int64_t first = Add(store_, FullObject()), gone = Add(store_, NewObject(2)),
                bad = Add(store_, NewObject(3)), last = Add(store_, NewObject(4));
  store_.Delete(gone);
  Sql(path_, "UPDATE object SET uid = x'00' WHERE id = " + std::to_string(bad));
  const auto loaded = store_.LoadSome(std::vector{first, gone, bad, last});
  ASSERT_EQ(loaded.size(), 4U);
  ASSERT_TRUE(loaded[0].row);
  EXPECT_EQ(loaded[0].row->body, FullObject().body);
  EXPECT_FALSE(loaded[0].row->material);
  EXPECT_FALSE(loaded[1].row || loaded[1].corrupt);
  EXPECT_TRUE(loaded[2].corrupt && loaded[2].corrupt->Is(Fault::Corrupt));
  ASSERT_TRUE(loaded[3].row);
  EXPECT_EQ(loaded[3].row->id, last);
  EXPECT_TRUE(store_.LoadSome({}).empty());
}

TEST_F(ObjectTest, LargeOnesAreLoadedOneByOne) {
  std::vector<int64_t> ids;
  for (int64_t number = 0; number < 4; ++number) {
    ObjectRow row = NewObject(number);
    row.body.resize(number < 2 ? 40'000 : 100'000);
    ids.push_back(Add(store_, row));
  }
  const std::span<const int64_t> all(ids);
  EXPECT_EQ(store_.LoadSome(all).size(), 2U);
  EXPECT_EQ(store_.LoadSome(all.subspan(2)).size(), 1U);
}

TEST_F(ObjectTest, WhereThereIsNoStoreNoneIsLoaded) {
  ObjectStore none(folder_ + "/none", KeyScope::User);
  const auto loaded = none.LoadSome(std::vector<int64_t>{1, 2});
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_FALSE(loaded[0].row || loaded[0].corrupt);
}

TEST_F(ObjectTest, ChangeIsWholeOrAbsent) {
  int64_t id = Add(store_, FullObject());
  EXPECT_TRUE(store_.Change(id, [](ObjectRow& row) {
    row.body = {9};
    row.index = {{kIdType, Tag(2)}};
    row.material->auth = {8};
  }));
  ObjectRow read = Reopen()->Load(id).value();
  EXPECT_EQ(read.body, Bytes{9});
  EXPECT_EQ(read.material->auth, Bytes{8});
  Query old_tag{.with_private = true, .all_of = {{{kIdType, Tag(1)}}}};
  Query new_tag{.with_private = true, .all_of = {{{kIdType, Tag(2)}}}};
  EXPECT_TRUE(store_.Find(old_tag, 0, 10).empty());
  EXPECT_EQ(store_.Find(new_tag, 0, 10), std::vector<int64_t>{id});

  EXPECT_TRUE(store_.Change(id, [](ObjectRow& same) { EXPECT_EQ(same.index.size(), 1U); }));
  EXPECT_EQ(store_.Find(new_tag, 0, 10), std::vector<int64_t>{id});

  EXPECT_THROW(store_.Change(id,
                             [](ObjectRow& row) {
                               row.body = {1};
                               throw std::runtime_error("callback");
                             }),
               std::runtime_error);
  EXPECT_EQ(store_.Load(id)->body, Bytes{9});
  EXPECT_FALSE(store_.Change(id + 1, [](ObjectRow&) { FAIL(); }));
}

TEST_F(ObjectTest, DeleteTakesIndexAndMaterialAlongAndOverwritesThem) {
  ObjectRow row = FullObject();
  int64_t id = Add(store_, row);
  ASSERT_NE(Read(path_).find(AsString(row.body)), std::string::npos);
  ASSERT_NE(Read(path_).find(AsString(row.material->auth)), std::string::npos);
  EXPECT_TRUE(store_.Delete(id));
  EXPECT_FALSE(store_.Delete(id));
  EXPECT_FALSE(store_.Load(id));
  for (const char* table : {"object", "attribute", "key_material"})
    EXPECT_EQ(Sql(path_, std::string("SELECT count(*) FROM ") + table), 0) << table;
  for (const Bytes& gone : {row.body, row.material->auth, row.index[0].tag})
    EXPECT_EQ(Read(path_).find(AsString(gone)), std::string::npos) << AsString(gone);
  EXPECT_GT(Add(store_, NewObject(2)), id) << "an id is never used again";
}

TEST_F(ObjectTest, PendingEraseIsNotedWithTheDelete) {
  const ObjectRow row = Persistent(1);
  const int64_t id = Add(store_, row);
  EXPECT_TRUE(store_.PendingErases().empty()) << "the row takes the note";
  std::optional<PendingErase> noted;
  EXPECT_FALSE(store_.Delete(99, &noted));
  EXPECT_FALSE(noted);
  EXPECT_TRUE(store_.Delete(id, &noted));
  ASSERT_TRUE(noted);
  EXPECT_EQ(noted->uid, row.uid);
  EXPECT_EQ(noted->handle, kHandle);
  EXPECT_EQ(noted->name, row.material->name);
  const std::vector<PendingErase> read = Reopen()->PendingErases();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].id, noted->id);
  EXPECT_EQ(read[0].name, noted->name);

  noted.reset();
  EXPECT_TRUE(store_.Delete(Add(store_, NewObject(2)), &noted));
  EXPECT_FALSE(noted) << "the hardware keeps nothing of it";
}

TEST_F(ObjectTest, KeptNamesAreThoseOfRowsAndNotes) {
  EXPECT_TRUE(store_.KeptNames().empty());
  ObjectRow row = NewObject(1);
  row.material = KeyMaterialRow{{1}, {2}, {3}, 0, {'o', 'n', 'e'}};
  store_.NotePendingErase({.uid = row.uid, .name = row.material->name, .reason = "being made"});
  store_.NotePendingErase({.uid = Bytes(16, 9), .name = {'t', 'w', 'o'}, .reason = "being made"});
  const std::set<Bytes> both = {{'o', 'n', 'e'}, {'t', 'w', 'o'}};
  EXPECT_EQ(store_.KeptNames(), both);
  Add(store_, row);
  Add(store_, Persistent(2));
  Add(store_, NewObject(3));
  EXPECT_EQ(Reopen()->KeptNames(), both) << "the name of a handle is none";
}

TEST_F(ObjectTest, DamagedRowOfAPersistentKeyIsDeletedAndNoted) {
  const int64_t id = Add(store_, Persistent(1));
  Sql(path_, "UPDATE object SET uid = x'00', scope = 7 WHERE id = " + std::to_string(id));
  std::optional<PendingErase> noted;
  EXPECT_TRUE(store_.Delete(id, &noted));
  ASSERT_TRUE(noted);
  EXPECT_EQ(noted->handle, kHandle);
}

TEST_F(ObjectTest, ClaimedPendingEraseKeepsTheRowOut) {
  const ObjectRow row = Persistent(1);
  const int64_t id = store_.PendingErases().at(0).id;
  EXPECT_TRUE(store_.ClaimPendingErase(id));
  EXPECT_FAULT(Fault::Busy, Add(store_, row));
  EXPECT_EQ(store_.Count(), 0);
  store_.ClearPendingErase(id);
  EXPECT_FALSE(store_.ClaimPendingErase(id));
  EXPECT_FAULT(Fault::Busy, Add(store_, row)) << "a key at a handle without a note";
}

TEST_F(ObjectTest, InitTokenNotesWhatTheHardwareKeeps) {
  Add(store_, Persistent(1));
  Add(store_, NewObject(2));
  store_.InitToken(NewToken(Bytes(16, 0xE1)));
  const std::vector<PendingErase> noted = store_.PendingErases();
  ASSERT_EQ(noted.size(), 1U);
  EXPECT_EQ(noted[0].handle, kHandle);
}

TEST_F(ObjectTest, TheAkOfARowIsFoundByUid) {
  const ObjectRow row = FullObject();
  EXPECT_FALSE(store_.AkIdOf(row.uid));
  Add(store_, row);
  EXPECT_EQ(store_.AkIdOf(row.uid), row.ak_id);
}

TEST_F(ObjectTest, PendingEraseNotedAgainCountsAnAttempt) {
  PendingErase erase{.uid = Bytes(16, 1), .reason = "first"};
  int64_t id = store_.NotePendingErase(erase);
  erase.reason = "second";
  EXPECT_EQ(store_.NotePendingErase(erase), id);
  ASSERT_EQ(store_.PendingErases().size(), 1U);
  EXPECT_EQ(store_.PendingErases()[0].reason, "second");
  EXPECT_EQ(store_.PendingErases()[0].attempts, 1);

  Sql(path_,
      "INSERT INTO pending_erase VALUES(77, x'00112233445566778899aabbccddeeff', 1, 0, x'', '', "
      "0)");
  EXPECT_EQ(store_.PendingErases().size(), 1U)
      << "the machine's are none of the user store's business";
  store_.ClearPendingErase(id);
  EXPECT_TRUE(store_.PendingErases().empty());
}

}  // namespace
}  // namespace keyscope::store
