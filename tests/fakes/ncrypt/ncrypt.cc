// The functions of ncrypt.dll.
#include <algorithm>
#include <cstring>

#include "tests/fakes/ncrypt/double.h"
#include "tests/fakes/ncrypt/properties.h"

using namespace keyscope::ncrypt_double;

namespace {

constexpr DWORD kMachine = NCRYPT_MACHINE_KEY_FLAG, kSilent = NCRYPT_SILENT_FLAG;
constexpr DWORD kPkcs1 = 2, kOaep = 4, kPss = 8;  // BCRYPT_PAD_*

std::string Flags(DWORD flags) { return "flags=" + Hex(flags); }
std::string Name(const wchar_t* name) { return "name=" + Utf8(name); }
std::string Scope(const Key& key) {
  return Name(key.name.empty() ? nullptr : key.name.c_str()) + " scope=" +
         (key.name.empty() ? "none"
          : key.machine    ? "machine"
                           : "user");
}
// Of the key behind a handle, if there is one.
std::string About(NCRYPT_HANDLE handle) {
  try {
    return IsProvider(handle) ? "provider" : Scope(KeyOf(handle));
  } catch (const Failure&) {
    return "no key";
  }
}

void CheckFlags(DWORD flags, DWORD allowed) { Require((flags & ~allowed) == 0, kBadFlags); }

void CheckRights(bool machine) {
  Require(!machine || Setting("KEYSCOPE_DOUBLE_RIGHTS") != "user", kPerm);
}

Bytes From(const BYTE* data, DWORD size) {
  return data != nullptr ? Bytes(data, data + size) : Bytes();
}

// True: `answer` is to be made, for `needed` bytes there is room.
bool HasRoom(const BYTE* output, DWORD room, DWORD needed, DWORD* result, Status too_small) {
  Require(result != nullptr, kInvalidParameter);
  *result = needed;
  if (output == nullptr) return false;
  Require(room >= needed, too_small);
  return true;
}

void PutOut(const Bytes& answer, BYTE* output, DWORD room, DWORD* result,
            Status too_small = kPcpBufferTooSmall) {
  if (HasRoom(output, room, static_cast<DWORD>(answer.size()), result, too_small))
    std::copy(answer.begin(), answer.end(), output);
}

const char* HashName(const wchar_t* id) {
  struct Row {
    const wchar_t* id;
    const char* name;
  };
  for (const Row& row : {Row{BCRYPT_SHA1_ALGORITHM, "SHA1"}, Row{BCRYPT_SHA256_ALGORITHM, "SHA256"},
                         Row{BCRYPT_SHA384_ALGORITHM, "SHA384"}})
    if (id != nullptr && std::wcscmp(id, row.id) == 0) return row.name;
  throw Failure{kNotSupported};
}

Key& Usable(NCRYPT_HANDLE handle) {
  Key& key = KeyOf(handle);
  Require(key.finalized && !key.only_public, kInvalidHandle);
  return key;
}

std::unique_ptr<Key> Named(const wchar_t* name, DWORD flags) {
  auto key = std::make_unique<Key>();
  if (name != nullptr) key->name = name;
  key->machine = (flags & kMachine) != 0;
  return key;
}

void* Allocated(const void* data, size_t size) {
  void* memory = std::malloc(size);
  std::memcpy(memory, data, size);
  return memory;
}

// The names in a name space, in the order of their files.
std::vector<std::wstring> NamesIn(bool machine) {
  std::vector<std::wstring> names;
  WIN32_FIND_DATAW found;
  const HANDLE search = FindFirstFileW((KeyFolder(machine) + L"\\*.PCPKEY").c_str(), &found);
  if (search == INVALID_HANDLE_VALUE) return names;
  do {
    Bytes content;
    if (!ReadFile(KeyFolder(machine) + L"\\" + found.cFileName, content)) continue;
    try {
      Cursor cursor{content};
      const Bytes letters = cursor.Sized();
      std::wstring name;
      for (size_t i = 0; i + 1 < letters.size(); i += 2)
        name += static_cast<wchar_t>(letters[i] << 8 | letters[i + 1]);
      names.push_back(name);
    } catch (const Failure&) {  // a corrupt file is not listed
    }
  } while (FindNextFileW(search, &found) != 0);
  FindClose(search);
  return names;
}

}  // namespace

extern "C" {

SECURITY_STATUS WINAPI NCryptOpenStorageProvider(NCRYPT_PROV_HANDLE* provider, LPCWSTR name,
                                                 DWORD flags) {
  return Run("NCryptOpenStorageProvider", Name(name) + " " + Flags(flags), [&] {
    CheckFlags(flags, 0);
    Folder();
    Require(name != nullptr && std::wcscmp(name, MS_PLATFORM_CRYPTO_PROVIDER) == 0, kNotFound);
    *provider = Add(std::make_unique<Provider>());
  });
}

SECURITY_STATUS WINAPI NCryptIsAlgSupported(NCRYPT_PROV_HANDLE provider, LPCWSTR algorithm,
                                            DWORD flags) {
  return Run("NCryptIsAlgSupported", Name(algorithm) + " " + Flags(flags), [&] {
    RequireProvider(provider);
    CheckFlags(flags, kSilent);
    Require(KnowsAlgorithm(algorithm), kNotSupported);
  });
}

SECURITY_STATUS WINAPI NCryptEnumKeys(NCRYPT_PROV_HANDLE provider, LPCWSTR scope,
                                      NCryptKeyName** name, PVOID* state, DWORD flags) {
  return Run("NCryptEnumKeys", Flags(flags), [&] {
    RequireProvider(provider);
    CheckFlags(flags, kMachine | kSilent);
    Require(scope == nullptr, kInvalidParameter);
    if (*state == nullptr) {
      const size_t first = 0;
      *state = Allocated(&first, sizeof first);
    }
    auto& next = *static_cast<size_t*>(*state);
    const auto names = NamesIn((flags & kMachine) != 0);
    Require(next < names.size(), kNoMoreItems);
    const std::wstring& one = names[next++];
    const size_t size = sizeof(NCryptKeyName) + (one.size() + 1) * sizeof(wchar_t);
    auto* made = static_cast<NCryptKeyName*>(std::calloc(1, size));
    made->pszName = reinterpret_cast<LPWSTR>(made + 1);
    std::copy(one.begin(), one.end(), made->pszName);
    made->dwFlags = flags & kMachine;
    *name = made;
  });
}

SECURITY_STATUS WINAPI NCryptFreeBuffer(PVOID buffer) {
  std::free(buffer);
  return 0;
}

SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE handle) {
  return Run("NCryptFreeObject", About(handle), [&] { Free(handle); });
}

SECURITY_STATUS WINAPI NCryptCreatePersistedKey(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE* key,
                                                LPCWSTR algorithm, LPCWSTR name, DWORD spec,
                                                DWORD flags) {
  return Run("NCryptCreatePersistedKey", Name(name) + " " + Flags(flags), [&] {
    RequireProvider(provider);
    CheckFlags(flags, kMachine | NCRYPT_OVERWRITE_KEY_FLAG);
    Require(spec == 0, kInvalidParameter);
    Require(KnowsAlgorithm(algorithm), kNotSupported);
    auto made = Named(name, flags);
    if (name != nullptr) {
      CheckRights(made->machine);
      Bytes content;
      const bool there = ReadFile(KeyFile(made->name, made->machine), content);
      Require(!there || (flags & NCRYPT_OVERWRITE_KEY_FLAG) != 0, kExists);
    }
    made->algorithm = algorithm;
    *key = Add(std::move(made));
  });
}

SECURITY_STATUS WINAPI NCryptFinalizeKey(NCRYPT_KEY_HANDLE handle, DWORD flags) {
  return Run("NCryptFinalizeKey", About(handle) + " " + Flags(flags), [&] {
    CheckFlags(flags, kSilent);
    Key& key = KeyOf(handle);
    Require(!key.finalized, kInvalidHandle);
    Generate(key);
    if (!key.name.empty()) Persist(key);
  });
}

SECURITY_STATUS WINAPI NCryptOpenKey(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE* key,
                                     LPCWSTR name, DWORD spec, DWORD flags) {
  return Run("NCryptOpenKey", Name(name) + " " + Flags(flags), [&] {
    RequireProvider(provider);
    CheckFlags(flags, kMachine | kSilent);
    Require(spec == 0 && name != nullptr, kInvalidParameter);
    auto opened = Named(name, flags);
    Bytes content;
    Require(ReadFile(KeyFile(opened->name, opened->machine), content), kBadKeyset);
    LoadFile(*opened, content);
    *key = Add(std::move(opened));
  });
}

SECURITY_STATUS WINAPI NCryptDeleteKey(NCRYPT_KEY_HANDLE handle, DWORD flags) {
  return Run("NCryptDeleteKey", About(handle) + " " + Flags(flags), [&] {
    CheckFlags(flags, kSilent);
    const Key& key = KeyOf(handle);
    CheckRights(key.machine);
    if (!key.name.empty())
      Require(DeleteFileW(KeyFile(key.name, key.machine).c_str()) != 0, kBadKeyset);
    Free(handle);
  });
}

SECURITY_STATUS WINAPI NCryptGetProperty(NCRYPT_HANDLE handle, LPCWSTR property, PBYTE output,
                                         DWORD room, DWORD* result, DWORD flags) {
  return Run("NCryptGetProperty", About(handle) + " property=" + Utf8(property), [&] {
    CheckFlags(flags, kSilent);
    PutOut(IsProvider(handle) ? GetProviderProperty(handle, property)
                              : GetKeyProperty(KeyOf(handle), property),
           output, room, result, kBufferTooSmall);
  });
}

SECURITY_STATUS WINAPI NCryptSetProperty(NCRYPT_HANDLE handle, LPCWSTR property, PBYTE input,
                                         DWORD size, DWORD flags) {
  return Run("NCryptSetProperty", About(handle) + " property=" + Utf8(property), [&] {
    CheckFlags(flags, kSilent | 0x80000000);
    SetKeyProperty(KeyOf(handle), property, From(input, size));
  });
}

SECURITY_STATUS WINAPI NCryptImportKey(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE importing,
                                       LPCWSTR type, NCryptBufferDesc* parameters,
                                       NCRYPT_KEY_HANDLE* key, PBYTE data, DWORD size,
                                       DWORD flags) {
  return Run("NCryptImportKey", "type=" + Utf8(type) + " " + Flags(flags), [&] {
    RequireProvider(provider);
    CheckFlags(flags, kSilent);
    Require(importing == 0 && parameters == nullptr, kNotSupported);
    auto made = std::make_unique<Key>();
    if (std::wcscmp(type, L"OpaqueKeyBlob") == 0) {
      LoadOpaque(*made, From(data, size));
    } else {
      Require(std::wcscmp(type, BCRYPT_ECCPUBLIC_BLOB) == 0, kNotSupported);
      made->pkey = PublicFromEcBlob(From(data, size), made->algorithm);
      made->finalized = made->only_public = true;
    }
    *key = Add(std::move(made));
  });
}

SECURITY_STATUS WINAPI NCryptExportKey(NCRYPT_KEY_HANDLE handle, NCRYPT_KEY_HANDLE exporting,
                                       LPCWSTR type, NCryptBufferDesc* parameters, PBYTE output,
                                       DWORD room, DWORD* result, DWORD flags) {
  return Run("NCryptExportKey", About(handle) + " type=" + Utf8(type), [&] {
    CheckFlags(flags, kSilent);
    Require(exporting == 0 && parameters == nullptr, kNotSupported);
    const Key& key = Usable(handle);
    const bool opaque = std::wcscmp(type, L"OpaqueKeyBlob") == 0;
    const bool of_public = std::wcscmp(type, BCRYPT_RSAPUBLIC_BLOB) == 0 ||
                           std::wcscmp(type, BCRYPT_ECCPUBLIC_BLOB) == 0;
    Require(opaque || of_public, kNotSupported);
    PutOut(opaque ? OpaqueOf(key) : PublicBlob(*key.pkey), output, room, result);
  });
}

SECURITY_STATUS WINAPI NCryptSignHash(NCRYPT_KEY_HANDLE handle, VOID* padding, PBYTE hash,
                                      DWORD hash_size, PBYTE output, DWORD room, DWORD* result,
                                      DWORD flags) {
  return Run("NCryptSignHash", About(handle) + " " + Flags(flags), [&] {
    CheckFlags(flags, kPkcs1 | kPss | kSilent);
    const Key& key = Usable(handle);
    const bool can =
        (key.usage & NCRYPT_PCP_SIGNATURE_KEY) != 0 && !key.algorithm.starts_with(L"ECDH");
    Require(can, kPcpNotSupported);
    const char* name = nullptr;
    if (key.rsa()) {
      Require(padding != nullptr, kInvalidParameter);
      if ((flags & kPss) != 0) {
        const auto& pss = *static_cast<BCRYPT_PSS_PADDING_INFO*>(padding);
        name = HashName(pss.pszAlgId);
        Require(pss.cbSalt == hash_size, kPcpBadSalt);
      } else {
        Require((flags & kPkcs1) != 0, kBadFlags);
        name = HashName(static_cast<BCRYPT_PKCS1_PADDING_INFO*>(padding)->pszAlgId);
      }
    } else {
      Require(padding == nullptr && (flags & (kPkcs1 | kPss)) == 0, kInvalidParameter);
    }
    const size_t size = key.rsa() ? key.bits / 8 : 2 * key.field();
    if (!HasRoom(output, room, static_cast<DWORD>(size), result, kPcpBufferTooSmall)) return;
    CheckAuth(key.auth, key.presented, kPcpAuthenticationFailed);
    const Bytes signature = SignHash(key, name, From(hash, hash_size), (flags & kPss) != 0);
    std::copy(signature.begin(), signature.end(), output);
  });
}

namespace {

struct OaepOrPkcs1 {
  bool oaep;
  const char* hash = nullptr;
};

OaepOrPkcs1 EncryptionPadding(VOID* padding, DWORD flags) {
  CheckFlags(flags, kPkcs1 | kOaep | kSilent);
  if ((flags & kOaep) == 0) {
    Require((flags & kPkcs1) != 0, kNotSupported);  // no raw RSA
    return {false};
  }
  Require(padding != nullptr, kInvalidParameter);
  const auto& oaep = *static_cast<BCRYPT_OAEP_PADDING_INFO*>(padding);
  Require(oaep.cbLabel == 0, kNotSupported);
  return {true, HashName(oaep.pszAlgId)};
}

}  // namespace

SECURITY_STATUS WINAPI NCryptEncrypt(NCRYPT_KEY_HANDLE handle, PBYTE input, DWORD size,
                                     VOID* padding, PBYTE output, DWORD room, DWORD* result,
                                     DWORD flags) {
  return Run("NCryptEncrypt", About(handle) + " " + Flags(flags), [&] {
    const Key& key = Usable(handle);
    const OaepOrPkcs1 way = EncryptionPadding(padding, flags);
    Require(key.rsa(), kNotSupported);
    if (HasRoom(output, room, key.bits / 8, result, kPcpBufferTooSmall))
      PutOut(Crypt(key, true, way.oaep, way.hash, From(input, size)), output, room, result);
  });
}

SECURITY_STATUS WINAPI NCryptDecrypt(NCRYPT_KEY_HANDLE handle, PBYTE input, DWORD size,
                                     VOID* padding, PBYTE output, DWORD room, DWORD* result,
                                     DWORD flags) {
  return Run("NCryptDecrypt", About(handle) + " " + Flags(flags), [&] {
    const Key& key = Usable(handle);
    const OaepOrPkcs1 way = EncryptionPadding(padding, flags);
    Require(key.rsa() && (key.usage & NCRYPT_PCP_ENCRYPTION_KEY) != 0, kPcpNotSupported);
    // What Windows was seen to answer for a wrong usage auth.
    CheckAuth(key.auth, key.presented, kPerm);
    PutOut(Crypt(key, false, way.oaep, way.hash, From(input, size)), output, room, result);
  });
}

SECURITY_STATUS WINAPI NCryptSecretAgreement(NCRYPT_KEY_HANDLE handle, NCRYPT_KEY_HANDLE peer,
                                             NCRYPT_SECRET_HANDLE* secret, DWORD flags) {
  return Run("NCryptSecretAgreement", About(handle) + " " + Flags(flags), [&] {
    CheckFlags(flags, kSilent);
    const Key &key = Usable(handle), &other = KeyOf(peer);
    Require(key.algorithm.starts_with(L"ECDH"), kNotSupported);
    Require(other.algorithm == key.algorithm, kInvalidParameter);
    CheckAuth(key.auth, key.presented, kPcpAuthenticationFailed);
    auto made = std::make_unique<keyscope::ncrypt_double::Secret>();
    made->x = SharedX(key, other);
    *secret = Add(std::move(made));
  });
}

SECURITY_STATUS WINAPI NCryptDeriveKey(NCRYPT_SECRET_HANDLE handle, LPCWSTR kdf,
                                       NCryptBufferDesc* parameters, PBYTE output, DWORD room,
                                       DWORD* result, ULONG flags) {
  return Run("NCryptDeriveKey", "kdf=" + Utf8(kdf), [&] {
    CheckFlags(flags, 0);
    Require(std::wcscmp(kdf, L"TRUNCATE") == 0 && parameters == nullptr, kNotSupported);
    Bytes x = SecretOf(handle).x;
    std::reverse(x.begin(), x.end());
    PutOut(x, output, room, result);
  });
}

// tbs.dll forwards its function to this one.
TBS_RESULT WINAPI Tbsip_Submit_Command(TBS_HCONTEXT context, TBS_COMMAND_LOCALITY,
                                       TBS_COMMAND_PRIORITY, const BYTE* command, UINT32 size,
                                       BYTE* output, UINT32* result) {
  const uint32_t code = size < 10 ? 0
                                  : static_cast<uint32_t>(command[6]) << 24 | command[7] << 16 |
                                        command[8] << 8 | command[9];
  return Run("Tbsip_Submit_Command", "code=" + Hex(code), [&] {
    constexpr Status kTbsInvalidContext = 0x80284002, kTbsInsufficientBuffer = 0x80284005;
    Require(IsProvider(reinterpret_cast<NCRYPT_HANDLE>(context)), kTbsInvalidContext);
    const Bytes response = Execute(From(command, size));
    Require(response.size() <= *result, kTbsInsufficientBuffer);
    *result = static_cast<UINT32>(response.size());
    std::copy(response.begin(), response.end(), output);
  });
}

}  // extern "C"
