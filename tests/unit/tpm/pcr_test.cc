#include "tpm/pcr.h"

#include <gtest/gtest.h>

namespace keyscope::tpm {
namespace {

TEST(Pcrs, GoThroughText) {
  for (const char* text : {"sha256:0,7", "sha1:23", "sha384:1", "sha512:0,1,2,3,22,23"}) {
    const auto pcrs = ParsePcrs(text);
    ASSERT_TRUE(pcrs) << text;
    EXPECT_EQ(ToText(*pcrs), text);
  }
  EXPECT_EQ(ParsePcrs("sha256:0,7"), (PcrSelection{Hash::Sha256, 0x81}));
  EXPECT_EQ(ToText(ParsePcrs("sha1:7,0,7").value()), "sha1:0,7");
}

TEST(Pcrs, OtherTextIsNone) {
  for (const char* text : {"",
                           ":",
                           "sha256",
                           "sha256:",
                           "sha256:,",
                           "sha256:0,",
                           "sha256:,0",
                           "sha256:0,,1",
                           "sha256:24",
                           "sha256:4294967296",
                           "sha256:-0",
                           "sha256:+1",
                           "sha256: 1",
                           "sha256:1 ",
                           "sha256:0x1",
                           "sha256:all",
                           "sha256:1+sha1:1",
                           "SHA256:1",
                           "sha224:1",
                           "sha3_256:1"})
    EXPECT_FALSE(ParsePcrs(text)) << text;
}

}  // namespace
}  // namespace keyscope::tpm
