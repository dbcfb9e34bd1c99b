#include "base/secret.h"

#include <gtest/gtest.h>

#include <thread>

namespace keyscope {
namespace {

TEST(SecretBytes, AMoveLeavesNothingBehind) {
  SecretBytes first(Bytes{1, 2, 3});
  SecretBytes second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the test
  EXPECT_EQ(second.size(), 3u);
  first = std::move(second);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(Equal(first.view(), Bytes{1, 2, 3}));
  EXPECT_TRUE(Equal(first.Clone().view(), first.view()));
}

TEST(SecretBytes, WipeOverwrites) {
  Bytes memory{1, 2, 3, 4};
  Wipe(memory.data(), memory.size());
  EXPECT_EQ(memory, Bytes(4, 0));
  Wipe(nullptr, 0);
}

TEST(SecretBytes, MoreThanTheArenaHoldsIsKeptAllTheSame) {
  std::vector<SecretBytes> secrets;
  for (size_t size = 1; size < 6000; size += 37)
    secrets.emplace_back(Bytes(size, static_cast<uint8_t>(size)));
  for (size_t i = 0; i < secrets.size(); i += 2) secrets[i] = SecretBytes();
  for (size_t size = 1; size < 6000; size += 211)
    secrets.emplace_back(Bytes(size, static_cast<uint8_t>(size)));
  for (const SecretBytes& secret : secrets)
    EXPECT_TRUE(Equal(secret.view(), Bytes(secret.size(), static_cast<uint8_t>(secret.size()))));
}

TEST(SecretBytes, ThreadsDoNotShareThem) {
  std::vector<std::jthread> threads;
  for (uint8_t mark = 1; mark <= 8; ++mark)
    threads.emplace_back([mark] {
      for (size_t round = 0; round < 2000; ++round) {
        const SecretBytes mine(Bytes(1 + round % 300, mark));
        EXPECT_TRUE(Equal(mine.view(), Bytes(mine.size(), mark)));
      }
    });
}

TEST(SecretBytes, ConstantTimeEqual) {
  EXPECT_TRUE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 2}));
  EXPECT_FALSE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 3}));
  EXPECT_FALSE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 2, 3}));
}

}  // namespace
}  // namespace keyscope
