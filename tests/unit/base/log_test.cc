#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace keyscope::log {
namespace {

class LogTest : public testing::Test {
 protected:
  void TearDown() override {
    Configure(Level::Silent, "");
    std::remove(path_.c_str());
  }
  std::string Text() {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string path_ = testing::TempDir() + "keyscope-log-" + std::to_string(getpid());
};

TEST_F(LogTest, WritesWhatWasAskedFor) {
  Configure(Level::Warn, path_);
  Error("the number is ", 7);
  Info("not this");
  EXPECT_NE(Text().find("error: the number is 7\n"), std::string::npos);
  EXPECT_EQ(Text().find("not this"), std::string::npos);
#ifndef _WIN32
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
#endif
}

TEST_F(LogTest, AForgedLineStaysOneLine) {
  Configure(Level::Debug, path_);
  Debug("label: x\nfake line\r\x1b[0m");
  const std::string text = Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(LogTest, SilentMakesNoFile) {
  Configure(Level::Silent, path_);
  Error("nothing");
  EXPECT_EQ(Text(), "");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace keyscope::log
