#include "base/secret.h"

#include <gtest/gtest.h>

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

TEST(SecretBytes, ConstantTimeEqual) {
  EXPECT_TRUE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 2}));
  EXPECT_FALSE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 3}));
  EXPECT_FALSE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 2, 3}));
}

}  // namespace
}  // namespace keyscope
