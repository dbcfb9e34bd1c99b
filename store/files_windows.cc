#include <windows.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/path.h"
#include "base/windows_error.h"
#include "store/acl_windows.h"
#include "store/files.h"
#include "store/system_fault.h"

namespace keyscope::store {
namespace {

using std::chrono::steady_clock;
using std::filesystem::path;

constexpr std::chrono::seconds kPatience{15};

[[noreturn]] void Fail(const std::string& doing, const path& at, DWORD code) {
  throw Error(FaultOfSystem(static_cast<int>(code)),
              "cannot " + doing + " " + Utf8Of(at) + ": " + WindowsMessage(code), code);
}

[[noreturn]] void Deny(const path& at, const std::string& why, void* descriptor) {
  throw Error(Fault::Denied,
              "store " + Utf8Of(at) + ": " + why + " (" + Describe(descriptor) + ")");
}

bool IsAbsent(DWORD code) {
  return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ||
         code == ERROR_INVALID_NAME || code == ERROR_BAD_PATHNAME;
}

class Handle {
 public:
  explicit Handle(HANDLE handle) : handle_(handle) {}
  ~Handle() {
    if (*this) CloseHandle(handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  explicit operator bool() const { return handle_ != INVALID_HANDLE_VALUE; }
  HANDLE get() const { return handle_; }

 private:
  HANDLE handle_;
};

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// The thing itself, also when it is a reparse point.
HANDLE OpenToLook(const path& at, DWORD flags = FILE_FLAG_OPEN_REPARSE_POINT) {
  return CreateFileW(at.c_str(), FILE_READ_ATTRIBUTES | READ_CONTROL, kShareAll, nullptr,
                     OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | flags, nullptr);
}

path FolderOf(const path& file) { return file.has_parent_path() ? file.parent_path() : path("."); }

// False: there is none. A folder may be reached through links.
bool CheckFolder(const path& folder, KeyScope scope) {
  const Handle at(OpenToLook(folder, 0));
  if (!at) {
    if (IsAbsent(GetLastError())) return false;
    Fail("reach the store's folder", folder, GetLastError());
  }
  const Descriptor rights = DescriptorOf(at.get());
  const std::string objection = Objection(rights.get(), scope);
  if (!objection.empty()) Deny(folder, objection, rights.get());
  return true;
}

// Parents that are missing get what their own parent passes on.
void MakeFolder(const path& folder, SECURITY_ATTRIBUTES* rights) {
  if (CreateDirectoryW(folder.c_str(), rights) != 0) return;
  DWORD code = GetLastError();
  if (code == ERROR_PATH_NOT_FOUND && folder.has_parent_path() && folder.parent_path() != folder) {
    MakeFolder(folder.parent_path(), nullptr);
    code = CreateDirectoryW(folder.c_str(), rights) != 0 ? ERROR_SUCCESS : GetLastError();
  }
  if (code != ERROR_SUCCESS && code != ERROR_ALREADY_EXISTS)
    Fail("make the store's folder", folder, code);
}

SECURITY_ATTRIBUTES Attributes(const Descriptor& descriptor) {
  return {sizeof(SECURITY_ATTRIBUTES), descriptor.get(), FALSE};
}

constexpr wchar_t kTemporaryStart[] = L".new-";

// A new, empty file beside `beside`; removed again by the destructor unless it was published. It is
// open while its maker lives.
class TemporaryFile {
 public:
  TemporaryFile(const path& beside, SECURITY_ATTRIBUTES rights) {
    for (uint64_t n = GetTickCount64() ^ (uint64_t{GetCurrentProcessId()} << 32);; ++n) {
      name_ = beside.native() + kTemporaryStart + std::to_wstring(n);
      handle_.emplace(CreateFileW(name_.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                  &rights, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
      if (*handle_) return;
      if (GetLastError() != ERROR_FILE_EXISTS) Fail("make a file beside", beside, GetLastError());
    }
  }
  ~TemporaryFile() {
    handle_.reset();
    if (!published_) DeleteFileW(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const path& name() const { return name_; }

  // On disk first, then under its name, which must be free. False when it is not.
  bool Publish(const path& to) {
    if (handle_ && FlushFileBuffers(handle_->get()) == 0)
      Fail("write to disk", name_, GetLastError());
    handle_.reset();
    published_ = MoveFileExW(name_.c_str(), to.c_str(), MOVEFILE_WRITE_THROUGH) != 0;
    const DWORD code = GetLastError();
    if (published_) return true;
    if (code == ERROR_ALREADY_EXISTS || code == ERROR_FILE_EXISTS) return false;
    Fail("make", to, code);
  }

 private:
  path name_;
  std::optional<Handle> handle_;
  bool published_ = false;
};

// What processes left beside `file` that died while they made it. What a living one has open,
// Windows does not delete.
void RemoveRemains(const path& file) {
  const std::wstring start = file.filename().native() + kTemporaryStart;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(FolderOf(file), failed), end; entry != end;
       entry.increment(failed))
    if (entry->path().filename().native().starts_with(start)) DeleteFileW(entry->path().c_str());
}

// One maker of a store at a time. The lock goes with its process.
class MakerLock {
 public:
  explicit MakerLock(const path& store) : handle_(Take(store.native() + L".making")) {}

 private:
  static HANDLE Take(const path& name) {
    const auto give_up = steady_clock::now() + kPatience;
    for (;;) {
      HANDLE taken = CreateFileW(name.c_str(), GENERIC_WRITE | DELETE, 0, nullptr, OPEN_ALWAYS,
                                 FILE_FLAG_DELETE_ON_CLOSE, nullptr);
      if (taken != INVALID_HANDLE_VALUE) return taken;
      // ACCESS_DENIED: it is about to vanish.
      const DWORD code = GetLastError();
      if ((code != ERROR_SHARING_VIOLATION && code != ERROR_ACCESS_DENIED) ||
          steady_clock::now() > give_up)
        Fail("lock", name, code);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  Handle handle_;
};

}  // namespace

bool CheckStoreFile(const std::string& utf8, KeyScope scope) {
  const path file = PathOf(utf8);
  if (!CheckFolder(FolderOf(file), scope)) return false;
  const Handle at(OpenToLook(file));
  if (!at) {
    if (IsAbsent(GetLastError())) return false;
    Fail("reach the store", file, GetLastError());
  }
  const Descriptor rights = DescriptorOf(at.get());
  BY_HANDLE_FILE_INFORMATION facts{};
  if (GetFileInformationByHandle(at.get(), &facts) == 0)
    Fail("reach the store", file, GetLastError());
  if ((facts.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
    Deny(file, "it is a symbolic link or another reparse point: put the file itself there",
         rights.get());
  if ((facts.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
    Deny(file, "it is not a plain file: move it away", rights.get());
  if (facts.nNumberOfLinks > 1)
    Deny(file, "it has a second name (hard link): remove the other one", rights.get());
  const std::string objection = Objection(rights.get(), scope);
  if (!objection.empty()) Deny(file, objection, rights.get());
  if (facts.nFileSizeHigh == 0 && facts.nFileSizeLow == 0) return false;
  const Handle readable(
      CreateFileW(file.c_str(), GENERIC_READ, kShareAll, nullptr, OPEN_EXISTING, 0, nullptr));
  if (!readable && GetLastError() == ERROR_ACCESS_DENIED)
    Deny(file, "this account may not read it: use the owner's", rights.get());
  return true;
}

bool CreateStoreFile(const std::string& utf8, KeyScope scope,
                     const std::function<void(const std::string&)>& fill) {
  const path file = PathOf(utf8);
  const Descriptor descriptor = NewDescriptor(scope);
  SECURITY_ATTRIBUTES rights = Attributes(descriptor);
  MakeFolder(FolderOf(file), &rights);
  CheckFolder(FolderOf(file), scope);
  TemporaryFile made(file, rights);
  fill(Utf8Of(made.name()));
  // Two makers must not clear each other's remains away.
  const MakerLock lock(file);
  RemoveRemains(file);
  if (CheckStoreFile(utf8, scope)) return false;
  // Remains of a store that was deleted by hand: SQLite would roll the old journal back into the
  // new file.
  for (const path& remains : {file, path(file.native() + L"-journal")})
    if (DeleteFileW(remains.c_str()) == 0 && !IsAbsent(GetLastError()))
      Fail("remove the remains of a store,", remains, GetLastError());
  return made.Publish(file);
}

std::string CreateCopy(const std::string& original, const std::string& copy,
                       const std::function<void(const std::string&)>& fill) {
  const Handle at(OpenToLook(PathOf(original)));
  if (!at) Fail("reach the store", PathOf(original), GetLastError());
  const Descriptor descriptor = DescriptorOf(at.get());
  RemoveRemains(PathOf(copy));
  TemporaryFile file(PathOf(copy), Attributes(descriptor));
  fill(Utf8Of(file.name()));
  std::string name = copy;
  for (int n = 1; !file.Publish(PathOf(name)); ++n) name = copy + "." + std::to_string(n);
  return name;
}

namespace {
path MakingFile(const std::string& utf8) { return PathOf(utf8 + ".making-key"); }
}  // namespace

Making::Making(const std::string& utf8, KeyScope) {
  const path name = MakingFile(utf8);
  const auto give_up = steady_clock::now() + kPatience;
  for (;;) {
    const HANDLE file = CreateFileW(name.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr,
                                    OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
    file_ = reinterpret_cast<std::intptr_t>(file);
    if (file != INVALID_HANDLE_VALUE) return;
    // Somebody is asking whether there is one.
    const DWORD code = GetLastError();
    if (code != ERROR_SHARING_VIOLATION || steady_clock::now() > give_up) Fail("make", name, code);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Making::~Making() { CloseHandle(reinterpret_cast<HANDLE>(file_)); }

bool Making::Anybody(const std::string& utf8) {
  const Handle file(CreateFileW(MakingFile(utf8).c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING,
                                FILE_ATTRIBUTE_NORMAL, nullptr));
  return !file && GetLastError() == ERROR_SHARING_VIOLATION;
}

// SQLite for Windows knows no symbolic links: CheckStoreFile has refused one.
std::string SqlitePath(const std::string& path) { return path; }

}  // namespace keyscope::store
