// The TPM as a character device, which is how most machines have it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "tests/module/operations.h"
#include "tests/support/tpm_device.h"

namespace keyscope::test {
namespace {

// Those that are open, and of what.
std::map<int, std::string> Descriptors() {
  std::map<int, std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto file = std::filesystem::read_symlink(entry, gone);
    if (!gone) open[std::stoi(entry.path().filename())] = file;
  }
  return open;
}

class Device : public Module {
 protected:
  void SetUp() override {
    Module::SetUp();
    ASSERT_OK(C_Finalize(nullptr));
    MakeDevice();
    ::setenv("KEYSCOPE_TCTI", ("device:" + Name()).c_str(), 1);
    ASSERT_OK(C_Initialize(nullptr));
    session_ = OpenLoggedIn();
    pair_ = GenerateEc(session_);
  }
  // A link, since the next terminal may have another name.
  std::string Name() const { return folder() + "/tpm"; }
  void MakeDevice() {
    device_.emplace(proxy());
    std::filesystem::remove(Name());
    std::filesystem::create_symlink(device_->path(), Name());
  }

  std::optional<TpmDevice> device_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  KeyPair pair_;
};

TEST_F(Device, Signs) {
  for (int i = 0; i < 3; ++i) ExpectSigns(session_, pair_);
  const auto signs = [this] {
    const CK_SESSION_HANDLE own = Open();
    for (int i = 0; i < 10; ++i) ExpectSigns(own, pair_);
  };
  const std::jthread one(signs), two(signs), three(signs);
}

TEST_F(Device, GoesAndComesWithTheTpmReset) {
  ExpectSigns(session_, pair_);
  device_.reset();
  Bytes digest = Pattern(32), signature(64);
  CK_ULONG size = signature.size();
  ASSERT_OK(C_SignInit(session_, Mechanism(CKM_ECDSA).get(), pair_.private_key));
  EXPECT_RV(CKR_DEVICE_ERROR, C_Sign(session_, digest.data(), 32, signature.data(), &size));
  StopTpm();
  swtpm().Start();
  MakeDevice();
  ExpectSigns(session_, pair_);
}

// poll() is never restarted, whatever SA_RESTART says.
TEST_F(Device, SignalsOfTheHostBreakNothing) {
  static std::atomic<int> came;
  came = 0;
  struct sigaction count {};
  count.sa_handler = [](int) { ++came; };
  count.sa_flags = SA_RESTART;
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGALRM, &count, &before), 0);
  const itimerval often{{0, 300}, {0, 300}}, never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  for (int i = 0; i < 40; ++i) ExpectSigns(session_, pair_);
  ASSERT_OK(C_Logout(session_));
  EXPECT_OK(Login(session_, CKU_USER, kUserPin));
  EXPECT_EQ(::setitimer(ITIMER_REAL, &never, nullptr), 0);
  EXPECT_EQ(::sigaction(SIGALRM, &before, nullptr), 0);
  EXPECT_GT(came.load(), 10);
}

// What the host prints would go to the TPM.
TEST_F(Device, IsNoStandardStreamOfAForkedHostThatHasClosedThem) {
  EXPECT_EQ(InChild([this] {
              for (int stream = 0; stream < 3; ++stream) ::close(stream);
              if (C_Initialize(nullptr) != CKR_OK) return 1;
              const CK_SESSION_HANDLE session = OpenLoggedIn();
              if (session == CK_INVALID_HANDLE) return 2;
              const auto open = Descriptors();
              for (int stream = 0; stream < 3; ++stream)
                if (const auto found = open.find(stream);
                    found != open.end() && found->second == device_->path())
                  return 3;
              return C_Finalize(nullptr) == CKR_OK ? 0 : 4;
            }),
            0)
      << "the step of the child that failed";
}

// What the host starts would have it, with our keys and sessions in it: tpm2-tss opens the device
// without O_CLOEXEC.
TEST_F(Device, ProgramsThatTheHostStartsGetNoDescriptorOfOurs) {
  ASSERT_OK(C_Finalize(nullptr));
  const auto before = Descriptors();
  ASSERT_OK(C_Initialize(nullptr));
  GenerateEc(OpenLoggedIn());
  std::set<std::string> ours;
  for (const auto& [descriptor, file] : Descriptors()) {
    const auto was = before.find(descriptor);
    if (was != before.end() && was->second == file) continue;
    EXPECT_EQ(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC) << file;
    ours.insert(file);
  }
  EXPECT_THAT(ours, testing::IsSupersetOf({device_->path(), folder() + "/machine/machine.db"}));
}

// Of a process that finds no TPM in `device`, without the rights of root.
std::string LogWithDevice(const std::string& device) {
  constexpr uid_t kNobody = 65534;
  const std::string log = testing::TempDir() + "keyscope-device-" + std::to_string(::getpid());
  EXPECT_EQ(InChild([&] {
              if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setuid(kNobody) != 0))
                return 1;
              for (const char* folder : {"KEYSCOPE_MACHINE_DIR", "KEYSCOPE_USER_DIR"})
                ::setenv(folder, "/none", 1);
              ::setenv("KEYSCOPE_TCTI", ("device:" + device).c_str(), 1);
              ::setenv("KEYSCOPE_LOG_FILE", log.c_str(), 1);
              ::setenv("KEYSCOPE_LOG", "warn", 1);
              CK_ULONG count = 0;
              if (C_Initialize(nullptr) != CKR_OK) return 2;
              return C_GetSlotList(CK_TRUE, nullptr, &count) == CKR_OK && count == 0 ? 0 : 3;
            }),
            0)
      << "the step of the child that failed";
  std::stringstream text;
  text << std::ifstream(log).rdbuf();
  std::filesystem::remove(log);
  return text.str();
}

TEST_F(Device, WhyItDoesNotOpenIsToldWithWhatToDo) {
  using testing::HasSubstr;
  ASSERT_OK(C_Finalize(nullptr));
  EXPECT_THAT(LogWithDevice("/none"), HasSubstr("No such file or directory: is there a TPM"));
  EXPECT_THAT(LogWithDevice("/dev/null"), HasSubstr("does not answer as a TPM"));
  ::chmod(device_->path().c_str(), 0);
  EXPECT_THAT(LogWithDevice(device_->path()), HasSubstr("add the account to the group"));
  ::chmod(device_->path().c_str(), 0666);
  device_->Exclude();
  EXPECT_THAT(LogWithDevice(device_->path()), HasSubstr("use /dev/tpmrm0"));
}

}  // namespace
}  // namespace keyscope::test
