// The whole module through its C ABI, on a real swtpm behind a counting proxy.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/module/attributes.h"
#include "tests/support/swtpm.h"
#include "tests/support/tpm_proxy.h"

namespace keyscope::test {

// A CK_RV that GoogleTest prints by its name.
struct Code {
  CK_RV value;
  bool operator==(const Code&) const = default;
};
void PrintTo(const Code& code, std::ostream* out);

#define EXPECT_RV(expected, call) \
  EXPECT_EQ(::keyscope::test::Code{call}, ::keyscope::test::Code{expected})
#define ASSERT_RV(expected, call) \
  ASSERT_EQ(::keyscope::test::Code{call}, ::keyscope::test::Code{expected})
#define EXPECT_OK(call) EXPECT_RV(CKR_OK, call)
#define ASSERT_OK(call) ASSERT_RV(CKR_OK, call)

inline constexpr CK_SLOT_ID kMachineSlot = 0, kUserSlot = 1;
inline constexpr std::string_view kSoPin = "so-pin-1", kUserPin = "user-pin-1";
inline constexpr CK_FLAGS kReadOnly = CKF_SERIAL_SESSION,
                          kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;

struct KeyPair {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;
};

// DER of the curve's name, for CKA_EC_PARAMS.
struct CurveRow {
  const char* name;  // OpenSSL's
  Bytes params;
  CK_ULONG size;  // of a coordinate, in bytes
};
const std::vector<CurveRow>& Curves();
inline const CurveRow& P256() { return Curves()[0]; }

// Runs `work` in a child process; what it returns, or 1000 + the signal that ended it. Its
// GoogleTest results do not count.
int InChild(const std::function<int()>& work);

CK_RV InitToken(CK_SLOT_ID slot, std::string_view so_pin = kSoPin);
CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, std::string_view pin);
CK_FLAGS TokenFlags(CK_SLOT_ID slot);
std::vector<CK_MECHANISM_TYPE> MechanismList(CK_SLOT_ID slot = kMachineSlot);

// An initialised module and two initialised tokens, with an SO PIN and a user PIN. After each test
// the module is finalized, and nothing may be left in the TPM.
class Module : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  static Swtpm& swtpm() { return *swtpm_; }
  static TpmProxy& proxy() { return *proxy_; }
  const std::string& folder() const { return folder_; }
  int Commands(const std::function<void()>& work);  // how many TPM commands it sends
  static void ClearLockout();
  static uint32_t TriesUsed();  // of TPM_PT_LOCKOUT_COUNTER
  void StopTpm();

  static void SetUserPin(CK_SLOT_ID slot, std::string_view pin);
  static CK_SESSION_HANDLE Open(CK_SLOT_ID slot = kMachineSlot, CK_FLAGS flags = kReadWrite);
  static CK_SESSION_HANDLE OpenLoggedIn(CK_SLOT_ID slot = kMachineSlot,
                                        CK_FLAGS flags = kReadWrite);

 private:
  inline static std::unique_ptr<Swtpm> swtpm_;
  inline static std::unique_ptr<TpmProxy> proxy_;
  std::string folder_;
};

// The same with the user logged in to the machine slot, in a read-write session.
class LoggedIn : public Module {
 protected:
  void SetUp() override {
    Module::SetUp();
    session = OpenLoggedIn();
  }
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
};

}  // namespace keyscope::test
