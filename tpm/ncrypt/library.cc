#include "tpm/ncrypt/library.h"

#include <cstring>
#include <string>

#include "base/error.h"

namespace keyscope::tpm::ncrypt {
namespace {

struct Row {
  const wchar_t* file;
  const char* name;
  size_t offset;  // in Library
};
#define NCRYPT(name) \
  { L"ncrypt.dll", "NCrypt" #name, offsetof(Library, name) }
constexpr Row kRows[] = {
    NCRYPT(OpenStorageProvider),
    NCRYPT(IsAlgSupported),
    NCRYPT(EnumKeys),
    NCRYPT(FreeBuffer),
    NCRYPT(FreeObject),
    NCRYPT(CreatePersistedKey),
    NCRYPT(FinalizeKey),
    NCRYPT(OpenKey),
    NCRYPT(DeleteKey),
    NCRYPT(GetProperty),
    NCRYPT(SetProperty),
    NCRYPT(ImportKey),
    NCRYPT(ExportKey),
    NCRYPT(SignHash),
    NCRYPT(Encrypt),
    NCRYPT(Decrypt),
    NCRYPT(SecretAgreement),
    NCRYPT(DeriveKey),
    {L"tbs.dll", "Tbsip_Submit_Command", offsetof(Library, SubmitCommand)},
};
#undef NCRYPT

Library Load() {
  Library library{};
  for (const Row& row : kRows) {
    // Not from the program's folder or the current one: whoever writes there is not to be trusted.
    const HMODULE module = LoadLibraryExW(row.file, nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
    const FARPROC function = module != nullptr ? GetProcAddress(module, row.name) : nullptr;
    if (function == nullptr)
      throw Error(Fault::DeviceGone,
                  std::string("this Windows has no ") + row.name + " in its system folder",
                  GetLastError());
    std::memcpy(reinterpret_cast<char*>(&library) + row.offset, &function, sizeof function);
  }
  return library;
}

}  // namespace

const Library& Functions() {
  static const Library library = Load();
  return library;
}

}  // namespace keyscope::tpm::ncrypt
