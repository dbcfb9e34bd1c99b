#include "tests/torture/harm.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace keyscope::test {
namespace {

Plan planned;
std::atomic<bool> armed = false;
std::atomic<int> counted = 0;

// What a descriptor's traffic is to a Plan. Pipes and terminals are nothing to it.
unsigned CallsOf(int fd, unsigned of_file) {
  struct stat at {};
  const int code = errno;
  const bool known = ::fstat(fd, &at) == 0;
  errno = code;
  if (!known) return 0;
  if (S_ISSOCK(at.st_mode)) return of_file == kFileWrites ? kSends : 0;
  return S_ISREG(at.st_mode) || S_ISDIR(at.st_mode) ? of_file : 0;
}

// What happens to this call.
Way Next(unsigned call) {
  if (!armed || (call & planned.calls) == 0) return Way::Count;
  const int step = ++counted;
  if (step != planned.step && !(planned.lasting && step > planned.step)) return Way::Count;
  if (planned.way == Way::Kill) ::kill(::getpid(), SIGKILL);
  if (planned.way == Way::Fail) errno = planned.error;
  return planned.way;
}

template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void Arm(const Plan& wanted) {
  planned = wanted;
  counted = 0;
  armed = true;
}

int Disarm() {
  armed = false;
  return counted;
}

}  // namespace keyscope::test

using keyscope::test::CallsOf;
using keyscope::test::kFileReads;
using keyscope::test::kFileWrites;
using keyscope::test::Next;
using keyscope::test::Real;
using keyscope::test::Way;

#define DEFINE_CALL extern "C" __attribute__((visibility("default")))

// NOLINTBEGIN: the C library's names, not ours
DEFINE_CALL ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  const Way way = Next(CallsOf(fd, kFileWrites));
  return way == Way::Fail ? -1 : real(fd, data, way == Way::Short ? (size + 1) / 2 : size);
}
DEFINE_CALL ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  const Way way = Next(CallsOf(fd, kFileWrites));
  return way == Way::Fail ? -1 : real(fd, data, way == Way::Short ? (size + 1) / 2 : size, at);
}
DEFINE_CALL ssize_t pread64(int fd, void* data, size_t size, off64_t at) {
  static const auto real = Real<ssize_t (*)(int, void*, size_t, off64_t)>("pread64");
  return Next(CallsOf(fd, kFileReads)) == Way::Fail ? -1 : real(fd, data, size, at);
}
DEFINE_CALL int fsync(int fd) {
  static const auto real = Real<int (*)(int)>("fsync");
  return Next(CallsOf(fd, kFileWrites)) == Way::Fail ? -1 : real(fd);
}
DEFINE_CALL int fdatasync(int fd) {
  static const auto real = Real<int (*)(int)>("fdatasync");
  return Next(CallsOf(fd, kFileWrites)) == Way::Fail ? -1 : real(fd);
}
DEFINE_CALL int ftruncate64(int fd, off64_t size) noexcept {
  static const auto real = Real<int (*)(int, off64_t)>("ftruncate64");
  return Next(CallsOf(fd, kFileWrites)) == Way::Fail ? -1 : real(fd, size);
}
DEFINE_CALL int unlink(const char* path) noexcept {
  static const auto real = Real<int (*)(const char*)>("unlink");
  return Next(kFileWrites) == Way::Fail ? -1 : real(path);
}
DEFINE_CALL int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = Real<int (*)(const char*, mode_t)>("mkdir");
  return Next(kFileWrites) == Way::Fail ? -1 : real(path, mode);
}
DEFINE_CALL int renameat2(int from, const char* path, int to, const char* name,
                          unsigned flags) noexcept {
  static const auto real = Real<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  return Next(kFileWrites) == Way::Fail ? -1 : real(from, path, to, name, flags);
}
DEFINE_CALL int link(const char* from, const char* to) noexcept {
  static const auto real = Real<int (*)(const char*, const char*)>("link");
  return Next(kFileWrites) == Way::Fail ? -1 : real(from, to);
}
// NOLINTEND
