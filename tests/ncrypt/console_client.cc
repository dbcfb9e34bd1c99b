// What pkcs11-tool does, as one small program: console_client <keyscope-pkcs11.dll> initialises
// both tokens, generates, signs, verifies, lists and deletes in both slots. It knows the module by
// its exported functions only.
#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "p11/cryptoki.h"

namespace {

CK_FUNCTION_LIST* module;

void Must(const char* what, CK_RV rv) {
  if (rv == CKR_OK) return;
  std::printf("FAILED: %s: 0x%lx\n", what, static_cast<unsigned long>(rv));
  std::exit(1);
}

CK_BYTE* Text(const char* text) { return reinterpret_cast<CK_BYTE*>(const_cast<char*>(text)); }
CK_ULONG Size(const char* text) { return static_cast<CK_ULONG>(std::strlen(text)); }

constexpr char kSoPin[] = "87654321", kPin[] = "123456",
               kLabel[] = "mine                            ";
constexpr CK_FLAGS kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;

void InitToken(CK_SLOT_ID slot) {
  Must("C_InitToken", module->C_InitToken(slot, Text(kSoPin), Size(kSoPin), Text(kLabel)));
  CK_SESSION_HANDLE session = 0;
  Must("C_OpenSession", module->C_OpenSession(slot, kReadWrite, nullptr, nullptr, &session));
  Must("C_Login (SO)", module->C_Login(session, CKU_SO, Text(kSoPin), Size(kSoPin)));
  Must("C_InitPIN", module->C_InitPIN(session, Text(kPin), Size(kPin)));
  Must("C_CloseSession", module->C_CloseSession(session));
}

struct Sort {
  const char* name;
  CK_MECHANISM_TYPE generate, sign;
};
constexpr Sort kSorts[] = {{"EC:prime256v1", CKM_EC_KEY_PAIR_GEN, CKM_ECDSA_SHA256},
                           {"rsa:2048", CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_SHA256_RSA_PKCS}};

void MakeAndUse(CK_SESSION_HANDLE session, const Sort& sort) {
  CK_BBOOL yes = CK_TRUE;
  CK_ULONG bits = 2048;
  CK_BYTE p256[] = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
  CK_ATTRIBUTE for_public[] = {{CKA_TOKEN, &yes, sizeof yes},
                               {CKA_LABEL, Text(sort.name), Size(sort.name)},
                               {CKA_EC_PARAMS, p256, sizeof p256}};
  if (sort.generate == CKM_RSA_PKCS_KEY_PAIR_GEN)
    for_public[2] = {CKA_MODULUS_BITS, &bits, sizeof bits};
  CK_ATTRIBUTE for_private[] = {{CKA_TOKEN, &yes, sizeof yes},
                                {CKA_PRIVATE, &yes, sizeof yes},
                                {CKA_LABEL, Text(sort.name), Size(sort.name)}};
  CK_MECHANISM generate{sort.generate, nullptr, 0}, sign{sort.sign, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0, private_key = 0;
  Must("C_GenerateKeyPair", module->C_GenerateKeyPair(session, &generate, for_public, 3,
                                                      for_private, 3, &public_key, &private_key));
  CK_BYTE data[] = "what is signed";
  std::vector<CK_BYTE> signature(512);
  auto size = static_cast<CK_ULONG>(signature.size());
  Must("C_SignInit", module->C_SignInit(session, &sign, private_key));
  Must("C_Sign", module->C_Sign(session, data, sizeof data, signature.data(), &size));
  Must("C_VerifyInit", module->C_VerifyInit(session, &sign, public_key));
  Must("C_Verify", module->C_Verify(session, data, sizeof data, signature.data(), size));
  data[0] ^= 1;
  Must("C_VerifyInit", module->C_VerifyInit(session, &sign, public_key));
  if (module->C_Verify(session, data, sizeof data, signature.data(), size) != CKR_SIGNATURE_INVALID)
    Must("C_Verify of other data", CKR_GENERAL_ERROR);
  std::printf("  %s: signed %lu bytes, verified\n", sort.name, static_cast<unsigned long>(size));
}

std::vector<CK_OBJECT_HANDLE> List(CK_SESSION_HANDLE session) {
  std::vector<CK_OBJECT_HANDLE> found(20);
  CK_ULONG count = 0;
  Must("C_FindObjectsInit", module->C_FindObjectsInit(session, nullptr, 0));
  Must("C_FindObjects",
       module->C_FindObjects(session, found.data(), static_cast<CK_ULONG>(found.size()), &count));
  Must("C_FindObjectsFinal", module->C_FindObjectsFinal(session));
  found.resize(count);
  return found;
}

void Run(CK_SLOT_ID slot) {
  CK_SLOT_INFO info;
  Must("C_GetSlotInfo", module->C_GetSlotInfo(slot, &info));
  std::printf("slot %lu: %.40s\n", static_cast<unsigned long>(slot),
              reinterpret_cast<const char*>(info.slotDescription));
  CK_SESSION_HANDLE session = 0;
  Must("C_OpenSession", module->C_OpenSession(slot, kReadWrite, nullptr, nullptr, &session));
  Must("C_Login", module->C_Login(session, CKU_USER, Text(kPin), Size(kPin)));
  for (const Sort& sort : kSorts) MakeAndUse(session, sort);
  const auto listed = List(session);
  std::printf("  %u objects listed\n", static_cast<unsigned>(listed.size()));
  if (listed.size() != 4) Must("the list", CKR_GENERAL_ERROR);
  for (CK_OBJECT_HANDLE object : listed)
    Must("C_DestroyObject", module->C_DestroyObject(session, object));
  if (!List(session).empty()) Must("the empty list", CKR_GENERAL_ERROR);
  Must("C_CloseSession", module->C_CloseSession(session));
}

// All that is written, for as long as the program runs.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("keyscope-console-" + std::to_string(GetCurrentProcessId()));
  Folder() {
    std::filesystem::create_directories(path);
    for (const char* name : {"KEYSCOPE_DOUBLE_DIR", "KEYSCOPE_MACHINE_DIR", "KEYSCOPE_USER_DIR"})
      SetEnvironmentVariableA(name, (path / name).string().c_str());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

int main(int count, char** arguments) {
  const Folder folder;
  const HMODULE library = LoadLibraryA(count > 1 ? arguments[1] : "keyscope-pkcs11.dll");
  if (library == nullptr) {
    std::printf("FAILED: the module does not load (%lu)\n", GetLastError());
    return 1;
  }
  CK_C_GetFunctionList get = nullptr;
  const FARPROC function = GetProcAddress(library, "C_GetFunctionList");
  std::memcpy(&get, &function, sizeof get);
  Must("C_GetFunctionList", get(&module));
  Must("C_Initialize", module->C_Initialize(nullptr));
  for (CK_SLOT_ID slot : {0, 1}) {
    InitToken(slot);
    Run(slot);
  }
  Must("C_Finalize", module->C_Finalize(nullptr));
  std::printf("all done\n");
  return 0;
}
