#include <fcntl.h>
#include <io.h>
#include <windows.h>

#include <cstdint>

#include "base/log_file.h"
#include "base/path.h"

namespace keyscope::log {

// What a new file's folder gives its files is its protection: a log in a profile is its owner's.
int OpenFile(const std::string& file) {
  const HANDLE handle =
      CreateFileW(PathOf(file).c_str(), FILE_APPEND_DATA | SYNCHRONIZE,
                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_ALWAYS,
                  FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return -1;
  BY_HANDLE_FILE_INFORMATION at{};
  if (GetFileInformationByHandle(handle, &at) != 0 &&
      (at.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0) {
    const int fd = _open_osfhandle(reinterpret_cast<intptr_t>(handle), _O_APPEND | _O_BINARY);
    if (fd >= 0) return fd;
  }
  CloseHandle(handle);
  return -1;
}

}  // namespace keyscope::log
