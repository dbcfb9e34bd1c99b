#include <initguid.h>
//
#include <knownfolders.h>
#include <shlobj.h>

#include "base/path.h"
#include "p11/places.h"

namespace keyscope::p11 {
namespace {

// Windows' own answer, not the environment's, which services may lack. LocalSystem and the other
// service accounts have profiles, and so user stores, of their own.
std::string KeyscopeIn(REFKNOWNFOLDERID folder) {
  wchar_t* path = nullptr;
  const HRESULT got = SHGetKnownFolderPath(folder, KF_FLAG_DONT_VERIFY, nullptr, &path);
  std::string in = got == S_OK ? Utf8Of(std::filesystem::path(path) / L"Keyscope") : "";
  CoTaskMemFree(path);
  return in;
}

}  // namespace

Places DefaultPlaces() {
  const std::string machine = KeyscopeIn(FOLDERID_ProgramData);
  return {Utf8Of(PathOf(machine) / L"keyscope.conf"), machine, KeyscopeIn(FOLDERID_LocalAppData)};
}

}  // namespace keyscope::p11
