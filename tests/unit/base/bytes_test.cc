#include "base/bytes.h"

#include <gtest/gtest.h>

namespace keyscope {
namespace {

TEST(Bytes, Hex) { EXPECT_EQ(Hex(Bytes{0x00, 0xab, 0x7f}), "00ab7f"); }

TEST(Bytes, Numbers) {
  EXPECT_EQ(StripLeadingZeros(Bytes{0, 0, 1, 0}), (Bytes{1, 0}));
  EXPECT_EQ(StripLeadingZeros(Bytes{0, 0}), Bytes{0});
  EXPECT_EQ(StripLeadingZeros({}), Bytes{0});
  EXPECT_EQ(PadLeft(Bytes{1, 2}, 4), (Bytes{0, 0, 1, 2}));
  EXPECT_EQ(PadLeft(Bytes{0, 0, 1, 2}, 2), (Bytes{1, 2}));
  EXPECT_EQ(PadLeft({}, 2), (Bytes{0, 0}));
}

TEST(Bytes, Concat) {
  EXPECT_EQ(Concat({Bytes{1}, {}, Bytes{2, 3}}), (Bytes{1, 2, 3}));
  EXPECT_TRUE(Equal({}, {}));
  EXPECT_FALSE(Equal(Bytes{1}, Bytes{1, 2}));
}

}  // namespace
}  // namespace keyscope
