#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "store/files.h"
#include "store/system_fault.h"

namespace keyscope::store {
namespace {

struct Rights {
  mode_t folder, file;  // modes of what is made
  mode_t forbidden;     // bits that neither may have
  bool own;             // both must belong to this account (or to root, who may do anything anyway)
};
constexpr Rights RightsOf(KeyScope scope) {
  return scope == KeyScope::Machine ? Rights{0750, 0640, S_IWOTH, false}
                                    : Rights{0700, 0600, S_IWGRP | S_IWOTH, true};
}

using Stat = struct stat;

std::string ParentOf(const std::string& path) {
  size_t slash = path.find_last_not_of('/', path.find_last_of('/'));
  if (path.find('/') == std::string::npos) return ".";
  return slash == std::string::npos ? "/" : path.substr(0, slash + 1);
}

[[noreturn]] void Fail(const std::string& doing, const std::string& path, int code) {
  throw Error(FaultOfSystem(code),
              "cannot " + doing + " " + path + ": " + std::generic_category().message(code));
}

// "owner root, group tss, mode 0640", for those who look for the right account.
std::string Describe(const Stat& at) {
  std::array<char, 4096> buffer;
  passwd user{};
  passwd* found_user = nullptr;
  getpwuid_r(at.st_uid, &user, buffer.data(), buffer.size(), &found_user);
  std::string owner = found_user != nullptr ? user.pw_name : std::to_string(at.st_uid);
  ::group members{};
  ::group* found_group = nullptr;
  getgrgid_r(at.st_gid, &members, buffer.data(), buffer.size(), &found_group);
  std::string group = found_group != nullptr ? members.gr_name : std::to_string(at.st_gid);
  std::array<char, 16> mode{};
  snprintf(mode.data(), mode.size(), "%04o", at.st_mode & 07777);
  return "owner " + owner + ", group " + group + ", mode " + mode.data();
}

[[noreturn]] void Deny(const std::string& path, const std::string& why, const Stat& at) {
  throw Error(Fault::Denied, "store " + path + ": " + why + " (" + Describe(at) + ")");
}

void CheckOwnership(const std::string& path, const Stat& at, const Rights& rights) {
  if (rights.own && at.st_uid != geteuid() && at.st_uid != 0)
    Deny(path, "it belongs to another account: a user store belongs to one account only", at);
  if ((at.st_mode & rights.forbidden) != 0)
    Deny(path, "other accounts can write it: take their right away with chmod", at);
}

// The folder, when there is one.
std::optional<Stat> CheckFolder(const std::string& folder, const Rights& rights) {
  Stat at{};
  if (stat(folder.c_str(), &at) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    Fail("reach the store's folder", folder, errno);
  }
  CheckOwnership(folder, at, rights);
  return at;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void Sync(const std::string& path) {
  Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) Fail("write to disk", path, errno);
}

// The mode is exact whatever the umask.
void MakeFolder(const std::string& folder, mode_t mode) {
  int made = mkdir(folder.c_str(), mode);
  if (made != 0 && errno == ENOENT && ParentOf(folder) != folder) {
    MakeFolder(ParentOf(folder), mode);
    made = mkdir(folder.c_str(), mode);
  }
  if (made != 0 && errno == EEXIST) return;
  if (made != 0 || chmod(folder.c_str(), mode) != 0) Fail("make the store's folder", folder, errno);
  Sync(ParentOf(folder));
}

// mkostemp replaces the X. No name that somebody would give to a copy of a store.
constexpr std::string_view kTemporary = ".new-XXXXXX", kTemporaryStart = ".new-";
constexpr std::string_view kJournal = "-journal";  // SQLite's, beside any file

// A new, empty file beside `path`; removed again by the destructor unless it was published. It is
// locked while its maker lives.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& path, mode_t mode) {
    Stat at{};
    do {  // until nobody has taken it for a dead one's before it was locked
      name_ = path + std::string(kTemporary);
      fd_.emplace(mkostemp(name_.data(), O_CLOEXEC));
      if (fd_->get() < 0) Fail("make a file beside", path, errno);
      flock(fd_->get(), LOCK_EX);
    } while (fstat(fd_->get(), &at) == 0 && at.st_nlink == 0);
    if (fchmod(fd_->get(), mode) != 0) {
      int code = errno;
      unlink(name_.c_str());
      Fail("set the mode of", name_, code);
    }
  }
  ~TemporaryFile() {
    if (!published_) unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& name() const { return name_; }

  // On disk first, then under its name, which must be free. False when it is not.
  bool Publish(const std::string& path) {
    Sync(name_);
    published_ = renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0;
    if (!published_ && errno == EEXIST) return false;
    // A file system without RENAME_NOREPLACE. The temporary name goes in the destructor.
    if (!published_ && link(name_.c_str(), path.c_str()) != 0) {
      if (errno == EEXIST) return false;
      Fail("make", path, errno);
    }
    Sync(ParentOf(path));
    return true;
  }

 private:
  std::string name_;
  std::optional<Descriptor> fd_;
  bool published_ = false;
};

// What processes left beside `path` that died while they made it. Those that live hold their lock.
void RemoveRemains(const std::string& path) {
  const std::string start =
      std::filesystem::path(path).filename().string() + std::string(kTemporaryStart);
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(ParentOf(path), failed), end; entry != end;
       entry.increment(failed)) {
    if (!entry->path().filename().string().starts_with(start)) continue;
    std::string file = entry->path();
    if (file.ends_with(kJournal)) file.resize(file.size() - kJournal.size());
    const Descriptor fd(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    const bool dead = fd.get() < 0 ? errno == ENOENT : flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
    if (!dead) continue;
    unlink(file.c_str());
    unlink((file + std::string(kJournal)).c_str());
  }
}

}  // namespace

bool CheckStoreFile(const std::string& path, KeyScope scope) {
  const Rights rights = RightsOf(scope);
  std::optional<Stat> folder = CheckFolder(ParentOf(path), rights);
  if (!folder) return false;
  Stat at{};
  if (lstat(path.c_str(), &at) != 0) {
    if (errno == ENOENT) return false;
    if (errno == EACCES)
      Deny(path,
           "its folder may not be searched by this account: use the owner's or join the group",
           *folder);
    Fail("reach the store", path, errno);
  }
  if (S_ISLNK(at.st_mode)) Deny(path, "it is a symbolic link: put the file itself there", at);
  if (!S_ISREG(at.st_mode)) Deny(path, "it is not a plain file: move it away", at);
  if (at.st_nlink > 1) Deny(path, "it has a second name (hard link): remove the other one", at);
  CheckOwnership(path, at, rights);
  if (at.st_size == 0) return false;
  if (faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0)
    Deny(path, "this account may not read it: use the owner's or join the group", at);
  return true;
}

bool CreateStoreFile(const std::string& path, KeyScope scope,
                     const std::function<void(const std::string&)>& fill) {
  const Rights rights = RightsOf(scope);
  const std::string folder = ParentOf(path);
  MakeFolder(folder, rights.folder);
  CheckFolder(folder, rights);
  TemporaryFile file(path, rights.file);
  fill(file.name());
  // Two makers must not clear each other's remains away. Where folders cannot be locked (NFS) the
  // window is a few microseconds wide.
  Descriptor lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) continue;
  RemoveRemains(path);
  if (CheckStoreFile(path, scope)) return false;
  // Remains of a store that was deleted by hand: SQLite would roll the old journal back into the
  // new file.
  for (const std::string& remains : {path, path + std::string(kJournal)})
    if (unlink(remains.c_str()) != 0 && errno != ENOENT)
      Fail("remove the remains of a store,", remains, errno);
  return file.Publish(path);
}

std::string CreateCopy(const std::string& original, const std::string& copy,
                       const std::function<void(const std::string&)>& fill) {
  Stat at{};
  if (lstat(original.c_str(), &at) != 0) Fail("reach the store", original, errno);
  RemoveRemains(copy);
  TemporaryFile file(copy, at.st_mode & 0777);
  // Without the right to give it to the same owner and group, nobody else shall read it.
  if (lchown(file.name().c_str(), at.st_uid, at.st_gid) != 0 &&
      chmod(file.name().c_str(), 0600) != 0)
    Fail("set the mode of", file.name(), errno);
  fill(file.name());
  std::string name = copy;
  for (int n = 1; !file.Publish(name); ++n) name = copy + "." + std::to_string(n);
  return name;
}

namespace {
constexpr std::string_view kMaking = ".making-key";
}  // namespace

Making::Making(const std::string& path, KeyScope scope) {
  const std::string name = path + std::string(kMaking);
  const int file =
      open(name.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RightsOf(scope).file);
  if (file < 0) Fail("make", name, errno);
  // For all who may use the store, like the store itself.
  Stat store{}, mine{};
  if (lstat(path.c_str(), &store) == 0 && fstat(file, &mine) == 0 && mine.st_uid == geteuid() &&
      (fchown(file, static_cast<uid_t>(-1), store.st_gid) == 0 || mine.st_gid == store.st_gid))
    fchmod(file, store.st_mode & 0777);
  while (flock(file, LOCK_SH) != 0 && errno == EINTR) continue;
  file_ = file;
}

Making::~Making() { close(static_cast<int>(file_)); }

bool Making::Anybody(const std::string& path) {
  const std::string name = path + std::string(kMaking);
  const Descriptor file(open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return errno != ENOENT;
  return flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

// SQLite follows no symbolic link anywhere in what it is given.
std::string SqlitePath(const std::string& path) {
  const std::filesystem::path file(path);
  std::error_code failed;
  const auto folder = std::filesystem::canonical(ParentOf(path), failed);
  if (failed)
    throw Error(Fault::Denied,
                "store " + path + ": its folder cannot be reached: " + failed.message());
  return folder / file.filename();
}

}  // namespace keyscope::store
