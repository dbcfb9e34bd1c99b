#include <windows.h>

#include <array>

#include "base/path.h"
#include "base/windows_error.h"
#include "cli/error.h"
#include "cli/library.h"

namespace keyscope::cli {

CK_C_GetFunctionList LoadModule(const std::string& path) {
  const HMODULE library = LoadLibraryW(PathOf(path).c_str());
  if (library == nullptr)
    throw Failure("the module does not load: " + path + ": " + WindowsMessage(GetLastError()) +
                  "; name it with --module or KEYSCOPE_MODULE");
  return reinterpret_cast<CK_C_GetFunctionList>(
      reinterpret_cast<void*>(GetProcAddress(library, "C_GetFunctionList")));
}

// Nowhere else: Windows would look in folders that other accounts may write.
std::string DefaultModulePath() {
  std::array<wchar_t, 4096> command{};
  GetModuleFileNameW(nullptr, command.data(), command.size());
  return Utf8Of(std::filesystem::path(command.data()).replace_filename(L"keyscope-pkcs11.dll"));
}

}  // namespace keyscope::cli
