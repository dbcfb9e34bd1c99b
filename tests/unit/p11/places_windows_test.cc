#include <gmock/gmock.h>

#include "base/environment.h"
#include "p11/places.h"

namespace keyscope::p11 {
namespace {

TEST(Places, AreThoseThatWindowsNames) {
  const std::string program_data = Environment("ProgramData");
  EXPECT_EQ(DefaultPlaces().machine_dir, program_data + "\\Keyscope");
  EXPECT_EQ(DefaultPlaces().file, program_data + "\\Keyscope\\keyscope.conf");
  EXPECT_THAT(DefaultPlaces().user_dir, testing::EndsWith("\\Keyscope"));
  EXPECT_NE(DefaultPlaces().user_dir, DefaultPlaces().machine_dir);
}

// Services may run without these variables.
TEST(Places, DoNotDependOnTheEnvironment) {
  const std::string user = DefaultPlaces().user_dir, machine = DefaultPlaces().machine_dir;
  for (const char* name :
       {"LOCALAPPDATA", "APPDATA", "USERPROFILE", "ProgramData", "ALLUSERSPROFILE"})
    unsetenv(name);
  EXPECT_EQ(DefaultPlaces().user_dir, user);
  EXPECT_EQ(DefaultPlaces().machine_dir, machine);
}

}  // namespace
}  // namespace keyscope::p11
