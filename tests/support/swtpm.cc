#include "tests/support/swtpm.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "tests/support/lsan.h"
#include "tests/support/net.h"

namespace keyscope::test {
namespace {

// TPM2_Shutdown(TPM_SU_CLEAR).
constexpr uint8_t kShutdown[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x45, 0, 0};

constexpr int kAttempts = 3;

std::string NewFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "keyscope-swtpm-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

}  // namespace

Swtpm::Swtpm() : folder_(NewFolder()) {
  KeepSwtpmTctiLoaded();
  for (int attempt = 1;; ++attempt) {
    port_ = FreePortPair();  // which another test may take first
    try {
      Launch();
      return;
    } catch (const std::runtime_error&) {
      if (attempt == kAttempts) throw;
    }
  }
}

Swtpm::~Swtpm() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Swtpm::tcti() const { return "swtpm:host=127.0.0.1,port=" + std::to_string(port_); }

void Swtpm::Launch() {
  const std::string server = "type=tcp,port=" + std::to_string(port_);
  const std::string control = "type=tcp,port=" + std::to_string(port_ + 1);
  const std::string state = "dir=" + folder_;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    // A control connection that another thread is making would stay open, and swtpm serves one.
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execlp("swtpm", "swtpm", "socket", "--tpm2", "--server", server.c_str(), "--ctrl",
             control.c_str(), "--tpmstate", state.c_str(), "--flags", "not-need-init,startup-clear",
             nullptr);
    ::_exit(127);
  }
  for (int attempt = 0; attempt < 500; ++attempt) {
    // It listens to control first.
    const bool listens = Connect(static_cast<uint16_t>(port_ + 1)) && Connect(port_);
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;  // who listens is another one
    if (listens) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  pid_ = 0;
  throw std::runtime_error("swtpm does not start: is it installed?");
}

void Swtpm::Start() {
  if (pid_ == 0) Launch();
}

void Swtpm::Stop() {
  const Socket commands = Connect(port_);
  commands.SetReadTimeout(2);
  if (WriteAll(commands, kShutdown)) ReadFrame(commands);
  Kill();
}

void Swtpm::Kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void Swtpm::Replace() {
  Kill();
  std::filesystem::remove_all(folder_);
  folder_ = NewFolder();
  Launch();
}

}  // namespace keyscope::test
