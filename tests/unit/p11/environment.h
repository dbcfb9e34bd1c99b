// What the C API tests run in: no TPM, empty folders, a silent log.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "p11/cryptoki.h"

namespace keyscope::p11::test {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = testing::TempDir() + "keyscope-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(*this / name) << text;
    return *this / name;
  }

 private:
  std::string path_;
};

// Each test runs in a process of its own under CTest, so it may change the environment.
class WithoutTpm : public testing::Test {
 protected:
  WithoutTpm() {
    setenv("KEYSCOPE_CONF", folder_.Write("keyscope.conf", "").c_str(), 1);
    setenv("KEYSCOPE_TCTI", "swtpm:host=127.0.0.1,port=1", 1);
    setenv("KEYSCOPE_MACHINE_DIR", (folder_ / "machine").c_str(), 1);
    setenv("KEYSCOPE_USER_DIR", (folder_ / "user").c_str(), 1);
    unsetenv("KEYSCOPE_LOG");
  }
  TempFolder folder_;
};

class Initialized : public WithoutTpm {
 protected:
  void SetUp() override { ASSERT_EQ(C_Initialize(nullptr), CKR_OK); }
  void TearDown() override { C_Finalize(nullptr); }
};

}  // namespace keyscope::p11::test
