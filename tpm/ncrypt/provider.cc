#include "tpm/ncrypt/provider.h"

#include <algorithm>
#include <memory>

#include "tpm/ncrypt/structures.h"

namespace keyscope::tpm::ncrypt {
namespace {

constexpr size_t kLargestResponse = 4096;
constexpr size_t kHeader = 10;  // tag, size, code

struct BufferDeleter {
  void operator()(void* buffer) const { Functions().FreeBuffer(buffer); }
};
using Buffer = std::unique_ptr<void, BufferDeleter>;

uint32_t AsStatus(SECURITY_STATUS status) { return static_cast<uint32_t>(status); }
PBYTE Data(ByteView bytes) { return const_cast<PBYTE>(bytes.data()); }
DWORD Size(ByteView bytes) { return static_cast<DWORD>(bytes.size()); }

}  // namespace

DWORD FlagsOf(KeyScope scope) { return scope == KeyScope::Machine ? NCRYPT_MACHINE_KEY_FLAG : 0; }

Bytes GetProperty(NCRYPT_HANDLE object, const wchar_t* name) {
  return Answer("NCryptGetProperty", Doing::Administer, [&](PBYTE to, DWORD room, DWORD* size) {
    return Functions().GetProperty(object, name, to, room, size, 0);
  });
}

void SetProperty(NCRYPT_HANDLE object, const wchar_t* name, ByteView value) {
  Try("NCryptSetProperty", Doing::Administer,
      [&] { return AsStatus(Functions().SetProperty(object, name, Data(value), Size(value), 0)); });
}

void SetProperty(NCRYPT_HANDLE object, const wchar_t* name, DWORD value) {
  SetProperty(object, name, ByteView(reinterpret_cast<const uint8_t*>(&value), sizeof value));
}

void SetUsageAuth(NCRYPT_HANDLE key, const SecretBytes& auth) {
  if (!auth.empty()) SetProperty(key, NCRYPT_PCP_USAGEAUTH_PROPERTY, auth.view());
}

Bytes Export(NCRYPT_HANDLE key, const wchar_t* blob_type) {
  return Answer("NCryptExportKey", Doing::Administer, [&](PBYTE to, DWORD room, DWORD* size) {
    return Functions().ExportKey(key, 0, blob_type, nullptr, to, room, size, 0);
  });
}

Provider::Provider() {
  Try("NCryptOpenStorageProvider", Doing::Administer, [&] {
    NCRYPT_PROV_HANDLE opened = 0;
    const auto status =
        AsStatus(Functions().OpenStorageProvider(&opened, MS_PLATFORM_CRYPTO_PROVIDER, 0));
    if (status == 0) handle_ = Handle(opened);
    return status;
  });
  try {
    tbs_ = GetNumber<TBS_HCONTEXT>(get(), NCRYPT_PCP_PLATFORMHANDLE_PROPERTY);
  } catch (const Error& error) {
    throw Error(Fault::DeviceGone,
                std::string("the Platform Crypto Provider reaches no TPM: ") + error.what() +
                    "; is there one, and is it on in the firmware?",
                error.native());
  }
}

bool Provider::Supports(const wchar_t* algorithm) const {
  return Functions().IsAlgSupported(get(), algorithm, 0) == 0;
}

Handle Provider::Create(const wchar_t* algorithm, const std::wstring& name, KeyScope scope) const {
  NCRYPT_KEY_HANDLE key = 0;
  Try("NCryptCreatePersistedKey", Doing::Administer, [&] {
    return AsStatus(Functions().CreatePersistedKey(get(), &key, algorithm,
                                                   name.empty() ? nullptr : name.c_str(), 0,
                                                   name.empty() ? 0 : FlagsOf(scope)));
  });
  return Handle(key);
}

Handle Provider::Open(const std::wstring& name, KeyScope scope) const {
  NCRYPT_KEY_HANDLE key = 0;
  Try("NCryptOpenKey", Doing::Administer,
      [&] { return AsStatus(Functions().OpenKey(get(), &key, name.c_str(), 0, FlagsOf(scope))); });
  return Handle(key);
}

void Provider::Delete(const std::wstring& name, KeyScope scope) const {
  try {
    Handle key = Open(name, scope);
    // Its flags are 0 or NCRYPT_SILENT_FLAG: the scope is the opened key's.
    Try("NCryptDeleteKey", Doing::Administer,
        [&] { return AsStatus(Functions().DeleteKey(key.get(), 0)); });
    key.release();  // freed by its deletion
  } catch (const Error& error) {
    if (!error.Is(Fault::KeyGone)) throw;
  }
}

std::vector<std::wstring> Provider::Names(KeyScope scope) const {
  constexpr uint32_t kNoMore = 0x8009002A;  // NTE_NO_MORE_ITEMS
  struct State {
    void* value = nullptr;
    ~State() { Buffer{value}; }
  } state;
  std::vector<std::wstring> names;
  for (;;) {
    NCryptKeyName* name = nullptr;
    bool more = true;
    Try("NCryptEnumKeys", Doing::Administer, [&] {
      const auto status =
          AsStatus(Functions().EnumKeys(get(), nullptr, &name, &state.value, FlagsOf(scope)));
      more = status != kNoMore;
      return more ? status : 0;
    });
    if (!more) return names;
    const Buffer owned(name);
    names.emplace_back(name->pszName);
  }
}

Handle Provider::Import(const wchar_t* blob_type, ByteView blob) const {
  NCRYPT_KEY_HANDLE key = 0;
  Try("NCryptImportKey", Doing::Administer, [&] {
    return AsStatus(Functions().ImportKey(get(), 0, blob_type, nullptr, &key, Data(blob),
                                          Size(blob), NCRYPT_SILENT_FLAG));
  });
  return Handle(key);
}

Bytes Provider::Submit(ByteView command, const char* what) const {
  Bytes response(kLargestResponse);
  Try(what, Doing::Administer, [&] {
    auto size = static_cast<UINT32>(kLargestResponse);
    response.resize(size);
    const TBS_RESULT sent =
        Functions().SubmitCommand(tbs_, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                                  command.data(), Size(command), response.data(), &size);
    if (sent != 0) return StatusOfRc(sent);
    response.resize(size);
    Reader header(response);
    header.Take(kHeader - 4);
    const uint32_t rc = header.Number(4);
    return rc == 0 ? 0 : StatusOfRc(rc);
  });
  return Copy(ByteView(response).subspan(kHeader));
}

}  // namespace keyscope::tpm::ncrypt
