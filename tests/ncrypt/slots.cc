#include "tests/ncrypt/slots.h"

#include <sqlite3.h>

#include <memory>
#include <stdexcept>

namespace keyscope::test {
namespace {

constexpr std::string_view kSoPin = "so-pin-1", kUserPin = "user-pin-1";
constexpr CK_FLAGS kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;
const Bytes kNameOfP256 = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

CK_SESSION_HANDLE Open(CK_SLOT_ID slot) {
  CK_SESSION_HANDLE session = 0;
  Must("C_OpenSession", C_OpenSession(slot, kReadWrite, nullptr, nullptr, &session));
  return session;
}

void Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, std::string_view pin) {
  Must("C_Login", C_Login(session, user, Mutable(pin), static_cast<CK_ULONG>(pin.size())));
}

void UseStoresIn(const std::filesystem::path& folder) {
  SetVariable("KEYSCOPE_CONF", (folder / "none.conf").string());
  SetVariable("KEYSCOPE_MACHINE_DIR", (folder / "machine").string());
  SetVariable("KEYSCOPE_USER_DIR", (folder / "user").string());
}

}  // namespace

void Slots::InitTokens(const std::filesystem::path& folder) {
  UseStoresIn(folder);
  Must("C_Initialize", C_Initialize(nullptr));
  const std::string label(32, ' ');
  for (CK_SLOT_ID slot : kSlots) {
    Must("C_InitToken",
         C_InitToken(slot, Mutable(kSoPin), kSoPin.size(), Mutable(std::string_view(label))));
    const CK_SESSION_HANDLE session = Open(slot);
    Login(session, CKU_SO, kSoPin);
    Must("C_InitPIN", C_InitPIN(session, Mutable(kUserPin), kUserPin.size()));
    Must("C_CloseSession", C_CloseSession(session));
  }
  Must("C_Finalize", C_Finalize(nullptr));
}

Slots::Slots(const std::filesystem::path& folder) {
  UseStoresIn(folder);
  Must("C_Initialize", C_Initialize(nullptr));
  for (CK_SLOT_ID slot : kSlots) {
    sessions_[slot] = Open(slot);
    Login(sessions_[slot], CKU_USER, kUserPin);
  }
}

Slots::~Slots() { C_Finalize(nullptr); }

void Slots::LoginAgain(CK_SLOT_ID slot) {
  Must("C_Logout", C_Logout(In(slot)));
  Login(In(slot), CKU_USER, kUserPin);
}

CK_RV Slots::TryMake(CK_SLOT_ID slot, bool rsa, const Attributes& asked, Pair& pair) {
  Attributes for_public{{CKA_TOKEN, true}};
  if (rsa)
    for_public.Add({CKA_MODULUS_BITS, 2048});
  else
    for_public.Add({CKA_EC_PARAMS, kNameOfP256});
  Attributes for_private = Attributes{{CKA_TOKEN, true}}.With(asked);
  const Mechanism mechanism(rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN);
  return C_GenerateKeyPair(In(slot), mechanism.get(), for_public.data(), for_public.size(),
                           for_private.data(), for_private.size(), &pair.public_key,
                           &pair.private_key);
}

Pair Slots::Make(CK_SLOT_ID slot, bool rsa, const Attributes& asked) {
  Pair pair;
  Must("C_GenerateKeyPair", TryMake(slot, rsa, asked, pair));
  return pair;
}

Bytes Slots::Get(CK_SLOT_ID slot, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  return ReadAttribute(In(slot), object, type);
}

std::vector<CK_OBJECT_HANDLE> Slots::Find(CK_SLOT_ID slot, Attributes wanted) {
  Must("C_FindObjectsInit", C_FindObjectsInit(In(slot), wanted.data(), wanted.size()));
  std::vector<CK_OBJECT_HANDLE> found(100);
  CK_ULONG count = 0;
  Must("C_FindObjects",
       C_FindObjects(In(slot), found.data(), static_cast<CK_ULONG>(found.size()), &count));
  Must("C_FindObjectsFinal", C_FindObjectsFinal(In(slot)));
  found.resize(count);
  return found;
}

CK_RV Slots::TrySign(CK_SLOT_ID slot, const Mechanism& mechanism, CK_OBJECT_HANDLE key,
                     const Bytes& data, Bytes& signature) {
  const CK_RV begun = C_SignInit(In(slot), mechanism.get(), key);
  if (begun != CKR_OK) return begun;
  signature.resize(2048);
  auto size = static_cast<CK_ULONG>(signature.size());
  const CK_RV rv =
      C_Sign(In(slot), Mutable(data), static_cast<CK_ULONG>(data.size()), signature.data(), &size);
  signature.resize(size);
  return rv;
}

bool Slots::Works(CK_SLOT_ID slot, const Pair& pair) {
  CK_KEY_TYPE type{};
  const Bytes value = Get(slot, pair.private_key, CKA_KEY_TYPE);
  std::copy(value.begin(), value.end(), reinterpret_cast<uint8_t*>(&type));
  const Mechanism mechanism(type == CKK_RSA ? CKM_SHA256_RSA_PKCS : CKM_ECDSA_SHA256);
  const Bytes data(50, 0x42);
  Bytes signature;
  if (TrySign(slot, mechanism, pair.private_key, data, signature) != CKR_OK) return false;
  return C_VerifyInit(In(slot), mechanism.get(), pair.public_key) == CKR_OK &&
         C_Verify(In(slot), Mutable(data), static_cast<CK_ULONG>(data.size()), signature.data(),
                  static_cast<CK_ULONG>(signature.size())) == CKR_OK;
}

int64_t Sql(const std::filesystem::path& folder, CK_SLOT_ID slot, const std::string& query) {
  const auto path = folder / (slot == kMachineSlot ? "machine/machine.db" : "user/user.db");
  sqlite3* raw = nullptr;
  sqlite3_open(path.string().c_str(), &raw);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(raw, sqlite3_close);
  int64_t number = 0;
  const auto take = [](void* to, int, char** values, char**) {
    if (values[0] != nullptr) *static_cast<int64_t*>(to) = std::atoll(values[0]);
    return 0;
  };
  if (sqlite3_exec(raw, query.c_str(), take, &number, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(raw));
  return number;
}

}  // namespace keyscope::test
