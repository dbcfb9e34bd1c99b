#include <windows.h>

#include "base/environment.h"
#include "base/path.h"

namespace keyscope {

// The process's own, not the C library's copy, which each library linked with it has for itself.
std::optional<std::string> FindEnvironment(const char* name) {
  const std::filesystem::path wide = PathOf(name);
  std::wstring value;
  DWORD size = 128;
  do {
    value.resize(size);
    SetLastError(ERROR_SUCCESS);
    size = GetEnvironmentVariableW(wide.c_str(), value.data(), static_cast<DWORD>(value.size()));
  } while (size > value.size());
  if (size == 0 && GetLastError() == ERROR_ENVVAR_NOT_FOUND) return std::nullopt;
  value.resize(size);
  return Utf8Of(value);
}

void SetEnvironment(const char* name, const std::optional<std::string>& value) {
  const std::filesystem::path wide = PathOf(value.value_or(""));
  SetEnvironmentVariableW(PathOf(name).c_str(), value ? wide.c_str() : nullptr);
}

}  // namespace keyscope
