// Forks of a process that has called C_Initialize.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "tests/unit/p11/environment.h"

namespace keyscope::p11 {
namespace {

using test::Initialized;
using test::TempFolder;
using test::WithoutTpm;

int ExitCode(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Initialized, AForkedChildStartsAnewAndTheParentGoesOn) {
  pid_t child = fork();
  if (child == 0) {
    CK_INFO info{};
    if (C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED) _exit(1);
    if (C_Finalize(nullptr) != CKR_CRYPTOKI_NOT_INITIALIZED) _exit(2);
    if (C_Initialize(nullptr) != CKR_OK) _exit(3);
    if (C_GetInfo(&info) != CKR_OK) _exit(4);
    _exit(C_Finalize(nullptr) == CKR_OK ? 0 : 5);
  }
  EXPECT_EQ(ExitCode(child), 0);
  CK_INFO info{};
  EXPECT_EQ(C_GetInfo(&info), CKR_OK);
}

// No handler of pthread_atfork runs here.
TEST_F(Initialized, AChildThatTheCLibraryKnowsNothingOfIsNotInitialized) {
  const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (child == 0) {
    CK_INFO info{};
    _exit(C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED ? 0 : 1);
  }
  EXPECT_EQ(ExitCode(child), 0);
}

// Children of a process whose threads call, and fail, all the time.
void ExpectChildrenToBeServed() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers' own allocators leave locks behind in a child of fork()";
#endif
  std::atomic<bool> stop = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      while (!stop) C_CloseSession(1);
    });
  for (int i = 0; i < 50; ++i) {
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      if (C_Initialize(nullptr) != CKR_OK) _exit(1);
      _exit(C_CloseSession(1) == CKR_SESSION_HANDLE_INVALID ? 0 : 2);
    }
    EXPECT_EQ(ExitCode(child), 0);
  }
  stop = true;
}

TEST_F(Initialized, ForksWhileOtherThreadsCallLeaveNoLockBehind) { ExpectChildrenToBeServed(); }

TEST_F(WithoutTpm, ForksWhileOtherThreadsLogLeaveNoLockBehind) {
  TempFolder folder;
  setenv("KEYSCOPE_LOG", "trace", 1);
  setenv("KEYSCOPE_LOG_FILE", (folder / "log").c_str(), 1);
  ASSERT_EQ(C_Initialize(nullptr), CKR_OK);
  ExpectChildrenToBeServed();
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
  unsetenv("KEYSCOPE_LOG");
  unsetenv("KEYSCOPE_LOG_FILE");
}

}  // namespace
}  // namespace keyscope::p11
