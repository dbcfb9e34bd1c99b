// Where the memory of secrets is, as Linux tells it.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>

#include "base/secret.h"

namespace keyscope {
namespace {

// The flags of the mapping that holds `address` (proc(5), smaps, VmFlags).
std::string FlagsAt(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t first = 0, end = 0;
    const auto at = reinterpret_cast<uintptr_t>(address);
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2)
      inside = first <= at && at < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

// True also where memory cannot be locked: sanitizers ignore mlock, and accounts have limits.
bool IsLocked([[maybe_unused]] const void* address) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur < 65536) return true;
  return FlagsAt(address).find(" lo ") != std::string::npos;
#endif
}

TEST(SecretBytes, StayOutOfSwapAndCoreDumps) {
  SecretBytes secret(Bytes(4096, 7));
  EXPECT_NE(FlagsAt(secret.data()).find(" dd "), std::string::npos) << "not dumped";
  EXPECT_TRUE(IsLocked(secret.data()));
}

// The child of a fork has neither its parent's lock nor its secrets.
TEST(SecretBytes, AChildLocksItsOwn) {
  SecretBytes secret(Bytes(64, 7));
  const pid_t child = fork();
  if (child == 0) {
    const Bytes nothing(64);
    if (!Equal(secret.view(), nothing)) _exit(1);
    LockArenaAgain();
    SecretBytes own(Bytes(64, 9));
    if (!Equal(own.view(), Bytes(64, 9))) _exit(2);
    _exit(IsLocked(own.data()) ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(Equal(secret.view(), Bytes(64, 7)));
}

}  // namespace
}  // namespace keyscope
