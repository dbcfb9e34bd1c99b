// Files that are no store, and stay as they are.
#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

TEST_F(StoreTest, FilesOfOthersAreCorruptAndLeftAsTheyAre) {
  store_.InitToken(NewToken());
  Sql(path_, "PRAGMA user_version=99");
  const std::string newer = Read(path_);
  Sql(path_, "PRAGMA user_version=1; PRAGMA application_id=1");
  const std::string other = Read(path_);
  for (const std::string& content :
       {std::string("no database"), std::string(5000, 'x'), newer, other}) {
    Write(path_, content);
    const Fault fault = content == newer ? Fault::TooNew : Fault::Corrupt;
    EXPECT_FAULT(fault, Reopen()->LoadToken());
    EXPECT_FAULT(fault, Reopen()->InitToken(NewToken()));
    EXPECT_EQ(Read(path_), content);
  }
}

TEST_F(StoreTest, EmptyFileIsNoStoreAndIsReplaced) {
  Write(path_, "");
  EXPECT_FALSE(store_.LoadToken());
  store_.InitToken(NewToken());
  EXPECT_TRUE(store_.LoadToken());
}

}  // namespace
}  // namespace keyscope::store
