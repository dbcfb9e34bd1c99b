// Forks of a process that has called C_Initialize.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/p11/environment.h"

namespace keyscope::p11 {
namespace {

using test::Initialized;

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

TEST_F(Initialized, ForksWhileOtherThreadsCallLeaveNoLockBehind) {
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

}  // namespace
}  // namespace keyscope::p11
