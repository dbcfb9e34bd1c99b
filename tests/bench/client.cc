#include "tests/bench/client.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace keyscope::bench {

void Must(CK_RV rv, const char* call) {
  if (rv == CKR_OK) return;
  char code[32];
  std::snprintf(code, sizeof code, " fails: 0x%lx", rv);
  throw std::runtime_error(call + std::string(code));
}

Client::Client(const ModuleOptions& options)
    : name_(std::filesystem::path(options.path).stem().string()), options_(options) {
  void* library = dlopen(options.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto list =
      reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(dlsym(library, "C_GetFunctionList"));
  if (list == nullptr) throw std::runtime_error(options.path + " is no PKCS#11 module");
  Must(list(&functions_), "C_GetFunctionList");
}

void Client::Initialize() const {
  InitializeArgs args{nullptr, nullptr, nullptr, nullptr, CKF_OS_LOCKING_OK, nullptr};
  Must(functions_->C_Initialize(&args), "C_Initialize");
}

void Client::Finalize() const { Must(functions_->C_Finalize(nullptr), "C_Finalize"); }

CK_SLOT_ID Client::Slot() {
  if (options_.slot) return *options_.slot;
  CK_SLOT_ID slots[64];
  CK_ULONG count = std::size(slots);
  Must(functions_->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info;
    if (functions_->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    if ((info.flags & CKF_USER_PIN_INITIALIZED) != 0) return *(options_.slot = slots[i]);
  }
  throw std::runtime_error("no token with a user PIN");
}

CK_SESSION_HANDLE Client::NewSession() {
  CK_SESSION_HANDLE session = 0;
  Must(functions_->C_OpenSession(Slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                 &session),
       "C_OpenSession");
  return session;
}

void Client::Login(CK_SESSION_HANDLE session) {
  auto* pin = reinterpret_cast<CK_UTF8CHAR_PTR>(options_.pin.data());
  Must(functions_->C_Login(session, CKU_USER, pin, options_.pin.size()), "C_Login");
}

CK_SESSION_HANDLE Client::NewSessionLoggedIn() {
  const CK_SESSION_HANDLE session = NewSession();
  Login(session);
  return session;
}

std::vector<CK_OBJECT_HANDLE> Client::Find(CK_SESSION_HANDLE session,
                                           std::span<CK_ATTRIBUTE> wanted, size_t most) const {
  std::vector<CK_OBJECT_HANDLE> found;
  CK_OBJECT_HANDLE some[64];
  CK_ULONG count = 0;
  Must(functions_->C_FindObjectsInit(session, wanted.data(), wanted.size()), "C_FindObjectsInit");
  do {
    const CK_ULONG room = std::min(std::size(some), most - found.size());
    Must(functions_->C_FindObjects(session, some, room, &count), "C_FindObjects");
    found.insert(found.end(), some, some + count);
  } while (count != 0 && found.size() < most);
  Must(functions_->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  return found;
}

}  // namespace keyscope::bench
