// What a token is known by (NEEDS.md, row 24): its serial number names the TPM and the scope.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include "tests/fakes/fake_backend.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

class Identity : public testing::Test {
 protected:
  Identity() {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  }
  ~Identity() override { std::filesystem::remove_all(folder_); }

  // Of a token in that store, initialised anew or as it is.
  std::string Serial(const std::shared_ptr<tpm::Backend>& backend, KeyScope scope,
                     const std::string& store, bool init = true) {
    Token token(scope, scope == KeyScope::Machine ? 0 : 1, backend, folder_ + "/" + store);
    if (init) token.InitToken({"12345678", 8}, Bytes(32, ' '));
    const CK_TOKEN_INFO info = token.Info();
    return {reinterpret_cast<const char*>(info.serialNumber), sizeof info.serialNumber};
  }

  std::string folder_ = testing::TempDir() + "keyscope-identity-XXXXXX";
};

TEST_F(Identity, TheSerialIsThatOfTheTpmAndTheScope) {
  const auto tpm = std::make_shared<test::FakeBackend>();
  const auto other_tpm = std::make_shared<test::FakeBackend>();
  const std::string serial = Serial(tpm, KeyScope::Machine, "a");
  EXPECT_EQ(serial.find(' '), std::string::npos) << "16 characters";
  EXPECT_EQ(Serial(tpm, KeyScope::Machine, "a", false), serial) << "the next process";
  EXPECT_EQ(Serial(tpm, KeyScope::Machine, "a"), serial) << "initialised again";
  EXPECT_EQ(Serial(tpm, KeyScope::Machine, "b"), serial) << "in another store";
  EXPECT_NE(Serial(tpm, KeyScope::User, "c"), serial);
  EXPECT_NE(Serial(other_tpm, KeyScope::Machine, "d"), serial);
}

}  // namespace
}  // namespace keyscope::token
