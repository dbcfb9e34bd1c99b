#include "p11/handle_table.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <thread>

namespace keyscope::p11 {
namespace {

CK_ULONG Add(HandleTable<int>& table, CK_SLOT_ID slot, int value) {
  return table.Add(slot, [&](CK_ULONG) { return std::make_shared<int>(value); });
}

TEST(HandleTable, FindsWhatWasAddedUntilItIsTaken) {
  HandleTable<int> table;
  CK_ULONG handle = Add(table, 1, 7);
  EXPECT_EQ(*table.Get(handle).value, 7);
  EXPECT_EQ(table.Get(handle).slot, 1U);
  EXPECT_EQ(table.Get(handle + 1).value, nullptr);
  EXPECT_EQ(*table.Take(handle).value, 7);
  EXPECT_EQ(table.Take(handle).value, nullptr);
  EXPECT_EQ(table.Get(handle).value, nullptr);
}

TEST(HandleTable, MakeKnowsItsHandleWhichIsNotYetUsable) {
  HandleTable<CK_ULONG> table;
  CK_ULONG handle = table.Add(0, [&](CK_ULONG own) {
    EXPECT_EQ(table.Get(own).value, nullptr);
    EXPECT_EQ(table.Take(own).value, nullptr);
    EXPECT_TRUE(table.TakeSlot(0).empty());
    return std::make_shared<CK_ULONG>(own);
  });
  EXPECT_EQ(*table.Get(handle).value, handle);
}

TEST(HandleTable, NothingIsAddedWhenMakeThrows) {
  HandleTable<int> table;
  auto fail = [](CK_ULONG) -> std::shared_ptr<int> { throw std::runtime_error("no"); };
  EXPECT_THROW(table.Add(0, fail), std::runtime_error);
  EXPECT_FALSE(table.HasSlot(0));
}

TEST(HandleTable, TakesOneSlotOnly) {
  HandleTable<int> table;
  Add(table, 0, 1);
  Add(table, 0, 2);
  CK_ULONG other = Add(table, 1, 3);
  EXPECT_EQ(table.TakeSlot(0).size(), 2U);
  EXPECT_FALSE(table.HasSlot(0));
  EXPECT_TRUE(table.HasSlot(1));
  EXPECT_EQ(*table.Get(other).value, 3);
}

TEST(HandleTable, HandlesOfManyThreadsAreUniqueAndNotZero) {
  HandleTable<int> table;
  std::vector<std::vector<CK_ULONG>> handles(8);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : handles)
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) mine.push_back(Add(table, 0, i));
      });
  }
  std::set<CK_ULONG> all;
  for (const auto& mine : handles) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 8U * 500U);
  EXPECT_FALSE(all.contains(CK_INVALID_HANDLE));
}

}  // namespace
}  // namespace keyscope::p11
