// The TPM as a character device, which is how most machines have it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

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
