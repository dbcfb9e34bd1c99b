#include <gmock/gmock.h>
#include <stdlib.h>

#include "p11/places.h"

namespace keyscope::p11 {
namespace {

class PlacesTest : public testing::Test {
 protected:
  PlacesTest() {
    unsetenv("XDG_DATA_HOME");
    setenv("HOME", "/home/somebody", 1);
  }
};

TEST_F(PlacesTest, OfTheMachineAreThoseOfTheFileSystemHierarchy) {
  EXPECT_EQ(DefaultPlaces().file, "/etc/keyscope/keyscope.conf");
  EXPECT_EQ(DefaultPlaces().machine_dir, "/var/lib/keyscope");
}

TEST_F(PlacesTest, TheUserFolderFollowsXdgWhenItIsAbsolute) {
  EXPECT_EQ(DefaultPlaces().user_dir, "/home/somebody/.local/share/keyscope");
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(DefaultPlaces().user_dir, "/data/keyscope");
  setenv("XDG_DATA_HOME", "data", 1);
  EXPECT_EQ(DefaultPlaces().user_dir, "/home/somebody/.local/share/keyscope");
}

TEST_F(PlacesTest, WithoutHomeTheAccountsEntryCounts) {
  unsetenv("HOME");
  EXPECT_THAT(DefaultPlaces().user_dir, testing::EndsWith("/.local/share/keyscope"));
}

}  // namespace
}  // namespace keyscope::p11
