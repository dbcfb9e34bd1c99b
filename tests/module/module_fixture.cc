#include "tests/module/module_fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>
#include <stdexcept>

#include "p11/rv_name.h"

namespace keyscope::test {
namespace {

constexpr std::string_view kLabel = "a token                         ";
static_assert(kLabel.size() == sizeof(CK_TOKEN_INFO::label));

// TPM2_DictionaryAttackLockReset with TPM_RH_LOCKOUT and its empty password.
constexpr uint8_t kLockReset[] = {0x80, 0x02, 0, 0,    0,    0x1b, 0, 0, 0x01,
                                  0x39, 0x40, 0, 0,    0x0a, 0,    0, 0, 9,
                                  0x40, 0,    0, 0x09, 0,    0,    0, 0, 0};
// TPM2_GetCapability(TPM_CAP_TPM_PROPERTIES, TPM_PT_LOCKOUT_COUNTER, 1)
constexpr uint8_t kLockoutCounter[] = {0x80, 0x01, 0, 0, 0, 0x16, 0,    0, 0x01, 0x7a, 0,
                                       0,    0,    6, 0, 0, 0x02, 0x0e, 0, 0,    0,    1};

std::string NewFolder() {
  std::string name = testing::TempDir() + "keyscope-module-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

void Export(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

}  // namespace

void PrintTo(const Code& code, std::ostream* out) { *out << p11::RvName(code.value); }

const std::vector<CurveRow>& Curves() {
  static const auto& curves = *new std::vector<CurveRow>{
      {"P-256", {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, 32},
      {"P-384", {0x06, 5, 0x2b, 0x81, 4, 0, 0x22}, 48},
      {"P-521", {0x06, 5, 0x2b, 0x81, 4, 0, 0x23}, 66},
  };
  return curves;
}

int InChild(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

CK_RV InitToken(CK_SLOT_ID slot, std::string_view so_pin) {
  return C_InitToken(slot, Mutable(so_pin), so_pin.size(), Mutable(kLabel));
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, std::string_view pin) {
  return C_Login(session, user, Mutable(pin), pin.size());
}

CK_FLAGS TokenFlags(CK_SLOT_ID slot) {
  CK_TOKEN_INFO info{};
  EXPECT_OK(C_GetTokenInfo(slot, &info));
  return info.flags;
}

std::vector<CK_MECHANISM_TYPE> MechanismList(CK_SLOT_ID slot) {
  CK_ULONG count = 0;
  EXPECT_OK(C_GetMechanismList(slot, nullptr, &count));
  std::vector<CK_MECHANISM_TYPE> types(count);
  EXPECT_OK(C_GetMechanismList(slot, types.data(), &count));
  return types;
}

void Module::SetUpTestSuite() {
  swtpm_ = std::make_unique<Swtpm>();
  proxy_ = std::make_unique<TpmProxy>(*swtpm_);
}

void Module::TearDownTestSuite() {
  proxy_.reset();
  swtpm_.reset();
}

void Module::SetUp() {
  folder_ = NewFolder();
  Export("KEYSCOPE_CONF", folder_ + "/none.conf");
  Export("KEYSCOPE_TCTI", proxy().tcti());
  Export("KEYSCOPE_MACHINE_DIR", folder_ + "/machine");
  Export("KEYSCOPE_USER_DIR", folder_ + "/user");
  ClearLockout();
  ASSERT_OK(C_Initialize(nullptr));
  for (CK_SLOT_ID slot : {kMachineSlot, kUserSlot}) {
    ASSERT_OK(InitToken(slot));
    SetUserPin(slot, kUserPin);
  }
}

void Module::TearDown() {
  C_Finalize(nullptr);  // a test may have done it
  swtpm().Start();
  EXPECT_EQ(proxy().LoadedHandles(), std::vector<uint32_t>{}) << "left in the TPM";
  std::filesystem::remove_all(folder_);
}

int Module::Commands(const std::function<void()>& work) {
  proxy().Reset();
  work();
  return proxy().Total();
}

void Module::ClearLockout() {
  const Bytes answer = proxy().Ask(kLockReset);
  ASSERT_GE(answer.size(), 10U);
  ASSERT_EQ(Hex(ByteView(answer).subspan(6, 4)), "00000000");
}

uint32_t Module::TriesUsed() {
  const Bytes answer = proxy().Ask(kLockoutCounter);
  if (answer.size() != 27) throw std::runtime_error("no answer about the lockout counter");
  return answer[25] * 256U + answer[26];
}

void Module::StopTpm() {
  proxy().Disconnect();
  swtpm().Stop();
}

void Module::SetUserPin(CK_SLOT_ID slot, std::string_view pin) {
  const CK_SESSION_HANDLE so = Open(slot);
  EXPECT_OK(Login(so, CKU_SO, kSoPin));
  EXPECT_OK(C_InitPIN(so, Mutable(pin), pin.size()));
  EXPECT_OK(C_CloseSession(so));
}

CK_SESSION_HANDLE Module::Open(CK_SLOT_ID slot, CK_FLAGS flags) {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  EXPECT_OK(C_OpenSession(slot, flags, nullptr, nullptr, &session));
  return session;
}

CK_SESSION_HANDLE Module::OpenLoggedIn(CK_SLOT_ID slot, CK_FLAGS flags) {
  const CK_SESSION_HANDLE session = Open(slot, flags);
  EXPECT_OK(Login(session, CKU_USER, kUserPin));
  return session;
}

}  // namespace keyscope::test
