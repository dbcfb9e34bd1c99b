#include "p11/config.h"

#include <gmock/gmock.h>

#include "p11/places.h"
#include "tests/unit/p11/environment.h"

namespace keyscope::p11 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    for (const char* name : {"KEYSCOPE_TCTI", "KEYSCOPE_MACHINE_DIR", "KEYSCOPE_USER_DIR",
                             "KEYSCOPE_LOG", "KEYSCOPE_LOG_FILE"})
      unsetenv(name);
  }
  Config Load(const std::string& text) {
    setenv("KEYSCOPE_CONF", folder_.Write("keyscope.conf", text).c_str(), 1);
    return LoadConfig();
  }
  test::TempFolder folder_;
};

TEST_F(ConfigTest, AnEmptyFileGivesTheDefaults) {
  Config config = Load("");
  EXPECT_EQ(config.tcti, "device:/dev/tpmrm0");
  EXPECT_EQ(config.machine_dir, DefaultPlaces().machine_dir);
  EXPECT_EQ(config.user_dir, DefaultPlaces().user_dir);
  EXPECT_EQ(config.log, log::Level::Silent);
  EXPECT_TRUE(config.log_file.empty());
  EXPECT_TRUE(config.owner_auth.empty());
  EXPECT_TRUE(config.endorsement_auth.empty());
  EXPECT_THAT(config.problems, IsEmpty());
}

TEST_F(ConfigTest, EveryKeyIsRead) {
  Config config = Load(
      "tcti = 'swtpm:port=1'\nmachine_dir = '/m'\nuser_dir = '/u'\n"
      "log = 'debug'\nlog_file = '/l'\nowner_auth = 'secret'\n"
      "endorsement_auth = 'other secret'\n");
  EXPECT_EQ(config.tcti, "swtpm:port=1");
  EXPECT_EQ(config.machine_dir, "/m");
  EXPECT_EQ(config.user_dir, "/u");
  EXPECT_EQ(config.log, log::Level::Debug);
  EXPECT_EQ(config.log_file, "/l");
  EXPECT_EQ(AsString(config.owner_auth.view()), "secret");
  EXPECT_EQ(AsString(config.endorsement_auth.view()), "other secret");
  EXPECT_THAT(config.problems, IsEmpty());
}

TEST_F(ConfigTest, OnlyStringsAndCommentsHoldAnyCharacter) {
  const Config good =
      Load("machine_dir = \"/\\\"\u00fc%41\\u00fc\" # \u00fc%\nuser_dir = '/\u00fc%'\n");
  EXPECT_EQ(good.machine_dir, "/\"\u00fc%41\u00fc");
  EXPECT_EQ(good.user_dir, "/\u00fc%");
  EXPECT_THAT(good.problems, IsEmpty());
  for (const char* bad : {"\n\ufebf = 'info'\n", "\nlog = 'info' \ufebf\n", "\n%41 = 'info'\n",
                          "\n[\x03U.\n", "\n# \x7f\n", "\nC=-;'e\ufffd\n"})
    EXPECT_THAT(Load(bad).problems, ElementsAre(HasSubstr("keyscope.conf:2: "))) << bad;
  EXPECT_THAT(Load("log_file = \"\\u002541\"").problems, ElementsAre(HasSubstr("write %")));
  EXPECT_EQ(Load("\ufefflog_file = '/l'").log_file, "/l");
}

// libFuzzer found that toml++ 3.3 ends the process here.
TEST_F(ConfigTest, AFileThatTomlPlusPlusDoesNotExpectIsToldAlike) {
  for (const char* bad : {"[[[", "[[\"]]", "a = 1\n[[["})
    EXPECT_THAT(Load(bad).problems, ElementsAre(HasSubstr("keyscope.conf:"))) << bad;
}

TEST_F(ConfigTest, TheEnvironmentWins) {
  setenv("KEYSCOPE_TCTI", "device:/dev/tpm9", 1);
  setenv("KEYSCOPE_LOG", "error", 1);
  Config config = Load("tcti = 'swtpm:port=1'\nlog = 'debug'\nmachine_dir = '/m'\n");
  EXPECT_EQ(config.tcti, "device:/dev/tpm9");
  EXPECT_EQ(config.log, log::Level::Error);
  EXPECT_EQ(config.machine_dir, "/m");
}

struct BadFile {
  const char* name;
  const char* text;
  const char* told;
};
class BadFileTest : public ConfigTest, public testing::WithParamInterface<BadFile> {};

TEST_P(BadFileTest, IsToldOnceAndGivesTheDefaults) {
  Config config = Load("tcti = 'swtpm:port=1'\n" + std::string(GetParam().text));
  EXPECT_THAT(config.problems, ElementsAre(HasSubstr(GetParam().told)));
  EXPECT_THAT(config.problems[0], HasSubstr("keyscope.conf:2: "));
  EXPECT_EQ(config.tcti, "device:/dev/tpmrm0");
}

INSTANTIATE_TEST_SUITE_P(
    All, BadFileTest,
    testing::Values(BadFile{"Syntax", "log = ", "Error while parsing"},
                    BadFile{"UnknownKey", "pin = '1234'", "unknown key 'pin'"},
                    BadFile{"WrongType", "log_file = 7", "'log_file' is not a string"},
                    BadFile{"UnknownLevel", "log = 'loud'", "'loud' is none of"},
                    BadFile{"OddHex", "owner_auth = 'hex:0'", "odd number"},
                    BadFile{"NoHex", "owner_auth = 'hex:0g'", "not a hexadecimal"},
                    BadFile{"NoAuthFile", "owner_auth = 'file:/none'", "cannot read"},
                    BadFile{"Table", "[log]\nlevel = 'info'", "is not a string"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(ConfigTest, WhatIsWrongIsToldWhereTheFileWantsItsLog) {
  const Config config = Load("a = ''\nlog = 'warn'\nlog_file = '/l'\nz = ''\n");
  EXPECT_THAT(config.problems, ElementsAre(HasSubstr("unknown key 'a'")));
  EXPECT_EQ(config.log, log::Level::Warn);
  EXPECT_EQ(config.log_file, "/l");
}

TEST_F(ConfigTest, ANamedFileThatIsMissingIsAProblem) {
  setenv("KEYSCOPE_CONF", (folder_ / "none").c_str(), 1);
  EXPECT_THAT(LoadConfig().problems, ElementsAre(HasSubstr("none: cannot be read")));
}

TEST_F(ConfigTest, AnUnknownLevelInTheEnvironmentIsToldInTheLog) {
  setenv("KEYSCOPE_LOG", "loud", 1);
  Config config = Load("");
  EXPECT_THAT(config.problems, ElementsAre(HasSubstr("KEYSCOPE_LOG: 'loud'")));
  EXPECT_EQ(config.log, log::Level::Warn);
}

TEST_F(ConfigTest, OwnerAuthFromHexAndFromAFile) {
  EXPECT_EQ(Hex(Load("owner_auth = 'hex:00fF'").owner_auth.view()), "00ff");
  std::string path = folder_.Write("auth", "from file\n");
  EXPECT_EQ(AsString(Load("owner_auth = 'file:" + path + "'").owner_auth.view()), "from file");
}

}  // namespace
}  // namespace keyscope::p11
