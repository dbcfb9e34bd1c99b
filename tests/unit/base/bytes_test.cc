#include "base/bytes.h"

#include <gtest/gtest.h>

namespace keyscope {
namespace {

TEST(Bytes, Hex) {
  EXPECT_EQ(Hex(Bytes{0x00, 0xab, 0x7f}), "00ab7f");
  EXPECT_EQ(FromHex("00ab7f"), (Bytes{0x00, 0xab, 0x7f}));
  EXPECT_EQ(FromHex(""), Bytes{});
  for (const char* text : {"0", "0g", "AB", " 0", "0x"}) EXPECT_FALSE(FromHex(text)) << text;
}

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
