#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

constexpr uid_t kNobody = 65534;

}  // namespace

mode_t ModeOf(const std::string& path) {
  struct stat at {};
  return lstat(path.c_str(), &at) == 0 ? at.st_mode & 07777 : 0;
}

pid_t StartChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      _exit(body());
    } catch (...) {
      _exit(99);
    }
  }
  return child;
}

int ExitOf(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int InChild(const std::function<int()>& body) { return ExitOf(StartChild(body)); }

int InChildAsOwner(const std::string& folder, const std::function<int()>& body) {
  if (geteuid() != 0) return InChild(body);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (lchown(entry.path().c_str(), kNobody, kNobody) != 0) return 98;
  if (lchown(folder.c_str(), kNobody, kNobody) != 0) return 98;
  return InChild([&] {
    if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) return 97;
    return body();
  });
}

}  // namespace keyscope::store
