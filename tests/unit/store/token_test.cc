// The token row: made, read, changed, made again; and the scope of the whole store.
#include <algorithm>

#include "base/log.h"
#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

TEST_F(StoreTest, MissingFileReadsAsNoTokenAndIsNotMade) {
  EXPECT_FALSE(store_.LoadToken());
  EXPECT_EQ(store_.Count(), 0);
  EXPECT_FALSE(store_.Load(1));
  EXPECT_TRUE(store_.Find({}, 0, 10).empty());
  EXPECT_FALSE(store_.Delete(1));
  EXPECT_FALSE(store_.Change(1, [](ObjectRow&) { FAIL(); }));
  EXPECT_TRUE(store_.PendingErases().empty());
  EXPECT_FAULT(Fault::KeyGone, Add(store_, NewObject(1)));
  EXPECT_FAULT(Fault::KeyGone, store_.ChangeToken(kEpoch, [](TokenRow&) {}));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(StoreTest, WithoutAPlaceThereIsNoStoreAndNoneIsMade) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  Write(".new-something", "not ours");
  ObjectStore none("", KeyScope::User);
  EXPECT_FALSE(none.LoadToken());
  EXPECT_FALSE(none.ReadOnly());
  EXPECT_EQ(none.CurrentVersion(), Version{});
  EXPECT_TRUE(none.Find({}, 0, 10).empty());
  EXPECT_FAULT(Fault::ReadOnly, none.InitToken(NewToken()));
  EXPECT_FAULT(Fault::ReadOnly, Add(none, NewObject(1)));
  EXPECT_EQ(Read(".new-something"), "not ours");
  std::filesystem::current_path(before);
}

TEST_F(StoreTest, TokenRoundTrip) {
  TokenRow row = NewToken();
  row.label = std::string("l\0bel \xff", 8);
  row.user_pin = SealedRow{{7, 8}, {}};
  row.login_required = false;
  row.so_pin_tries = 1;
  row.user_pin_tries = 2;
  row.facts = {{"model", "SW TPM"}, {"", ""}};
  store_.InitToken(row);
  TokenRow read = Reopen()->LoadToken().value();
  EXPECT_EQ(read.epoch, row.epoch);
  EXPECT_EQ(read.label, row.label);
  EXPECT_EQ(read.serial, row.serial);
  EXPECT_EQ(read.root_handle, row.root_handle);
  EXPECT_EQ(read.root_public, row.root_public);
  EXPECT_EQ(read.root_name, row.root_name);
  EXPECT_EQ(read.so_pin.public_area, row.so_pin.public_area);
  EXPECT_EQ(read.so_pin.private_area, row.so_pin.private_area);
  ASSERT_TRUE(read.user_pin);
  EXPECT_EQ(read.user_pin->public_area, row.user_pin->public_area);
  EXPECT_EQ(read.user_pin->private_area, row.user_pin->private_area);
  EXPECT_FALSE(read.login_required);
  EXPECT_EQ(read.so_pin_tries, 1);
  EXPECT_EQ(read.user_pin_tries, 2);
  EXPECT_EQ(read.facts, row.facts);
}

TEST_F(StoreTest, InitTokenAgainDeletesObjectsAndKeepsPendingErases) {
  store_.InitToken(NewToken());
  int64_t first = Add(store_, NewObject(1));
  store_.NotePendingErase({.uid = Bytes(16, 1), .reason = "r"});
  auto other = Reopen();
  ASSERT_TRUE(other->LoadToken());

  TokenRow again = NewToken(Bytes(16, 0xE1));
  again.label = "again";
  store_.InitToken(again);
  EXPECT_EQ(other->LoadToken()->label, "again");
  EXPECT_EQ(other->Count(), 0);
  EXPECT_EQ(other->PendingErases().size(), 1U);
  ObjectRow object = NewObject(1);
  EXPECT_FAULT(Fault::KeyGone, other->Insert(kEpoch, {&object}));
  EXPECT_FAULT(Fault::KeyGone, other->ChangeToken(kEpoch, [](TokenRow&) { FAIL(); }));
  other->Insert(again.epoch, {&object});
  EXPECT_GT(object.id, first) << "an id is never used again";
}

TEST_F(StoreTest, ChangeTokenIsWholeOrAbsent) {
  store_.InitToken(NewToken());
  store_.ChangeToken(kEpoch, [](TokenRow& row) { row.user_pin = SealedRow{{1}, {2}}; });
  EXPECT_TRUE(Reopen()->LoadToken()->user_pin);
  EXPECT_THROW(store_.ChangeToken(kEpoch,
                                  [](TokenRow& row) {
                                    row.label = "not kept";
                                    throw std::runtime_error("callback");
                                  }),
               std::runtime_error);
  EXPECT_EQ(store_.LoadToken()->label, "label");
  EXPECT_EQ(Reopen()->LoadToken()->label, "label");
}

TEST_F(StoreTest, StoreOfTheOtherScopeIsRefusedAndLoggedOnce) {
  const std::string log = folder_ + "/log";
  log::Configure(log::Level::Warn, log);
  Reopen(KeyScope::Machine)->InitToken(NewToken());
  EXPECT_FAULT(Fault::Denied, store_.LoadToken());
  EXPECT_FAULT(Fault::Denied, store_.InitToken(NewToken()));
  log::Configure(log::Level::Silent, "");
  const std::string lines = Read(log);
  EXPECT_NE(lines.find("machine scope"), std::string::npos);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);

  std::filesystem::remove(path_);
  store_.InitToken(NewToken());
  EXPECT_FAULT(Fault::Denied, Reopen(KeyScope::Machine)->LoadToken());
}

}  // namespace
}  // namespace keyscope::store
