// Where the memory of secrets is, as Linux tells it.
#include <gtest/gtest.h>
#include <sys/resource.h>

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

TEST(SecretBytes, StayOutOfSwapAndCoreDumps) {
  SecretBytes secret(Bytes(4096, 7));
  EXPECT_NE(FlagsAt(secret.data()).find(" dd "), std::string::npos) << "not dumped";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they ignore mlock
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  if (limit.rlim_cur < 65536) GTEST_SKIP() << "this account may not lock 64 KiB of memory";
  EXPECT_NE(FlagsAt(secret.data()).find(" lo "), std::string::npos) << "locked";
#endif
}

}  // namespace
}  // namespace keyscope
