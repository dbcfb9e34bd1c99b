#include <windows.h>

#include <algorithm>
#include <array>

#include "base/path.h"
#include "cli/scratch_file.h"

namespace keyscope::cli {
namespace {

HANDLE Native(intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

}  // namespace

// INVALID_HANDLE_VALUE is -1. Gone with its last handle.
ScratchFile::ScratchFile() {
  std::array<wchar_t, MAX_PATH + 1> folder{}, name{};
  if (GetTempPathW(folder.size(), folder.data()) == 0 ||
      GetTempFileNameW(folder.data(), L"key", 0, name.data()) == 0)
    return;
  path_ = Utf8Of(std::filesystem::path(name.data()));
  handle_ = reinterpret_cast<intptr_t>(CreateFileW(
      name.data(), GENERIC_READ | DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
      nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, nullptr));
}

ScratchFile::~ScratchFile() {
  if (valid()) CloseHandle(Native(handle_));
}

void ScratchFile::Hide() { path_.clear(); }

std::string ScratchFile::Tail(size_t most) const {
  std::string tail(most, '\0');
  LARGE_INTEGER end{}, from{};
  GetFileSizeEx(Native(handle_), &end);
  from.QuadPart = std::max<int64_t>(0, end.QuadPart - static_cast<int64_t>(most));
  DWORD size = 0;
  if (SetFilePointerEx(Native(handle_), from, nullptr, FILE_BEGIN) == 0 ||
      ReadFile(Native(handle_), tail.data(), static_cast<DWORD>(tail.size()), &size, nullptr) == 0)
    size = 0;
  tail.resize(size);
  return tail;
}

}  // namespace keyscope::cli
