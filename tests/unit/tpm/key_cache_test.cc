#include "tpm/tss/key_cache.h"

#include <gtest/gtest.h>

namespace keyscope::tpm::tss {
namespace {

using Place = KeyCache::Place;

Bytes Id(uint8_t number) { return {number}; }

TEST(KeyCache, TheLeastRecentlyUsedLeavesFirst) {
  KeyCache cache;
  for (uint8_t i = 1; i <= 3; ++i) cache.Add(Id(i), {i, {}}, Place::First);
  EXPECT_EQ(cache.Find(Id(1))->handle, 1U);
  EXPECT_EQ(cache.Find(Id(9)), nullptr);
  cache.Add(Id(4), {4, {}}, Place::Last);
  EXPECT_EQ(cache.RemoveOldest(), 4U);
  EXPECT_EQ(cache.RemoveOldest(), 2U);
  EXPECT_EQ(cache.Remove(Id(1)), 1U);
  EXPECT_EQ(cache.Remove(Id(1)), std::nullopt);
  EXPECT_EQ(cache.RemoveAll(), std::vector<TPM2_HANDLE>{3});
  EXPECT_EQ(cache.RemoveOldest(), std::nullopt);
}

TEST(KeyCache, TheCapacityIsLearnt) {
  KeyCache cache;
  for (uint8_t i = 1; i <= 3; ++i) cache.Add(Id(i), {i, {}}, Place::First);
  EXPECT_FALSE(cache.Full());
  cache.LearnCapacity();
  EXPECT_TRUE(cache.Full());
  cache.RemoveOldest();
  EXPECT_FALSE(cache.Full());
  cache.RemoveAll();
  cache.LearnCapacity();
  cache.Add(Id(1), {1, {}}, Place::First);
  EXPECT_FALSE(cache.Full()) << "there is always room for a parent and its child";
}

}  // namespace
}  // namespace keyscope::tpm::tss
