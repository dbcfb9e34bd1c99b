// Sequences of C_ calls on both tokens, over the fake backend: any order, any arguments. Nothing
// crashes, and only the codes of the specification come out.
#include "p11/cryptoki.h"
#include "p11/keyscope.h"
#include "tests/fakes/fake_backend.h"
#include "tests/fuzz/cryptoki_input.h"
#include "tests/fuzz/files.h"
#include "tpm/backend.h"

namespace {
keyscope::test::FakeBackend* device;
}

// In place of the TPM's. The keys of a device that lives as long as the process stay valid.
std::unique_ptr<keyscope::tpm::Backend> keyscope::tpm::MakeBackend(BackendOptions) {
  auto made = std::make_unique<test::FakeBackend>();
  device = made.get();
  return made;
}
void keyscope::tpm::LockForFork() {}
void keyscope::tpm::UnlockAfterFork() {}

namespace keyscope::fuzz {
namespace {

constexpr std::string_view kPin = "1234";
constexpr CK_FLAGS kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;

CK_UTF8CHAR* Mutable(std::string_view text) {
  return const_cast<CK_UTF8CHAR*>(reinterpret_cast<const CK_UTF8CHAR*>(text.data()));
}
void Must(CK_RV rv) {
  if (rv != CKR_OK) abort();
}

// Both tokens, initialised and with a key of each type, as every run finds them.
class World {
 public:
  World() {
    setenv("KEYSCOPE_MACHINE_DIR", (folder_ / "machine").c_str(), 1);
    setenv("KEYSCOPE_USER_DIR", (folder_ / "user").c_str(), 1);
    setenv("KEYSCOPE_CONF", (folder_ / "none").c_str(), 1);
    Must(C_Initialize(nullptr));
    for (CK_SLOT_ID slot : {0, 1}) Furnish(slot);
    for (Store& store : stores_) store.content = Read(folder_ / store.name);
  }

  void Restore() {
    for (CK_SLOT_ID slot : {0, 1}) C_CloseAllSessions(slot);
    device->ResetLockout();
    for (const Store& store : stores_) {
      std::filesystem::remove(folder_ / store.name);
      Write(folder_ / store.name, store.content);
    }
  }

 private:
  struct Store {
    const char* name;
    Bytes content;
  };

  static void Furnish(CK_SLOT_ID slot) {
    CK_UTF8CHAR label[32];
    std::fill_n(label, 32, ' ');
    Must(C_InitToken(slot, Mutable(kPin), kPin.size(), label));
    CK_SESSION_HANDLE session = 0;
    Must(C_OpenSession(slot, kReadWrite, nullptr, nullptr, &session));
    Must(C_Login(session, CKU_SO, Mutable(kPin), kPin.size()));
    Must(C_InitPIN(session, Mutable(kPin), kPin.size()));
    Must(C_Logout(session));
    Must(C_Login(session, CKU_USER, Mutable(kPin), kPin.size()));
    MakeKeys(session);
    Must(C_CloseSession(session));
  }

  static void MakeKeys(CK_SESSION_HANDLE session) {
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG bits = 2048, size = 32;
    uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_ATTRIBUTE rsa[] = {{CKA_TOKEN, &yes, 1}, {CKA_MODULUS_BITS, &bits, sizeof bits}};
    CK_ATTRIBUTE ec[] = {{CKA_TOKEN, &yes, 1}, {CKA_EC_PARAMS, p256, sizeof p256}};
    CK_ATTRIBUTE ak[] = {{CKA_TOKEN, &yes, 1}, {CKA_KEYSCOPE_ATTESTATION_KEY, &yes, 1}};
    CK_ATTRIBUTE secret[] = {{CKA_TOKEN, &yes, 1},       {CKA_VALUE_LEN, &size, sizeof size},
                             {CKA_ENCRYPT, &yes, 1},     {CKA_DECRYPT, &yes, 1},
                             {CKA_WRAP, &yes, 1},        {CKA_UNWRAP, &yes, 1},
                             {CKA_EXTRACTABLE, &yes, 1}, {CKA_SIGN, &yes, 1},
                             {CKA_DERIVE, &yes, 1}};
    CK_MECHANISM rsa_pair{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
    CK_MECHANISM ec_pair{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_MECHANISM aes{CKM_AES_KEY_GEN, nullptr, 0};
    CK_MECHANISM generic{CKM_GENERIC_SECRET_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE one = 0, other = 0;
    Must(C_GenerateKeyPair(session, &rsa_pair, rsa, 2, rsa, 1, &one, &other));
    Must(C_GenerateKeyPair(session, &ec_pair, ec, 2, ec, 1, &one, &other));
    Must(C_GenerateKeyPair(session, &ec_pair, ec, 2, ak, 2, &one, &other));
    Must(C_GenerateKey(session, &aes, secret, std::size(secret), &one));
    Must(C_GenerateKey(session, &generic, secret, std::size(secret), &one));
  }

  const Folder folder_;
  std::array<Store, 2> stores_{{{"machine/machine.db", {}}, {"user/user.db", {}}}};
};

// One run: what the application has got so far, and where its next arguments come from.
class Caller {
 public:
  explicit Caller(Input& in) : in_(in) {}

  CK_SLOT_ID Slot() { return in_.OneIn(32) ? in_.Number() : in_.Byte() % 2; }
  CK_SESSION_HANDLE Session() { return Handle(sessions_); }
  CK_OBJECT_HANDLE Object() { return Handle(objects_); }
  CK_SESSION_HANDLE* NewSession() { return &sessions_.emplace_back(0); }
  CK_OBJECT_HANDLE* NewObject() { return in_.OneIn(64) ? nullptr : &objects_.emplace_back(0); }
  std::span<CK_ATTRIBUTE> Template() {
    std::vector<CK_ATTRIBUTE>& kept = templates_.emplace_back(TakeTemplate(in_, arena_));
    // What was found to be worth having comes more often than chance would have it.
    if (in_.OneIn(2)) kept.push_back({CKA_TOKEN, arena_.Keep(Bytes{in_.OneIn(2)}).data(), 1});
    return kept;
  }
  CK_MECHANISM* Mechanism() {
    if (in_.OneIn(64)) return nullptr;
    CK_MECHANISM& mechanism = mechanisms_.emplace_back(TakeMechanism(in_, arena_));
    // An RSA key takes OpenSSL as long as a thousand runs take.
    if (mechanism.mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN) mechanism.mechanism = CKM_EC_KEY_PAIR_GEN;
    return &mechanism;
  }
  Argument In() { return TakeArgument(in_, arena_); }
  Argument Pin() { return in_.OneIn(4) ? In() : Argument{Mutable(kPin), kPin.size()}; }
  // A buffer for a result, of any size, or none.
  struct Result {
    CK_BYTE_PTR data;
    CK_ULONG_PTR size;
  };
  Result Out() {
    CK_ULONG& size = arena_.Keep(CK_ULONG{in_.Byte()} * (in_.OneIn(4) ? 8 : 1));
    if (in_.OneIn(64)) return {nullptr, nullptr};
    return {in_.OneIn(4) ? nullptr : arena_.Room(size).data(), &size};
  }
  Input& in() { return in_; }
  Arena& arena() { return arena_; }
  void Found(std::span<const CK_OBJECT_HANDLE> handles) {
    objects_.insert(objects_.end(), handles.begin(), handles.end());
  }

 private:
  CK_ULONG Handle(const std::deque<CK_ULONG>& known) {
    if (known.empty() || in_.OneIn(32)) return in_.Number();
    return known[in_.Byte() % known.size()];
  }

  Input& in_;
  Arena arena_;
  std::deque<CK_ULONG> sessions_, objects_;
  std::deque<std::vector<CK_ATTRIBUTE>> templates_;
  std::deque<CK_MECHANISM> mechanisms_;
};

using Step = CK_RV (*)(Caller&);

template <auto function>
CK_RV Begin(Caller& c) {
  return function(c.Session(), c.Mechanism(), c.Object());
}
template <auto function>
CK_RV InOut(Caller& c) {
  const Argument in = c.In();
  const auto out = c.Out();
  return function(c.Session(), in.data, in.size, out.data, out.size);
}
template <auto function>
CK_RV OnlyIn(Caller& c) {
  const Argument in = c.In();
  return function(c.Session(), in.data, in.size);
}
template <auto function>
CK_RV OnlyOut(Caller& c) {
  const auto out = c.Out();
  return function(c.Session(), out.data, out.size);
}
template <auto function>
CK_RV OnlySession(Caller& c) {
  return function(c.Session());
}

CK_RV OpenSession(Caller& c) {
  return C_OpenSession(c.Slot(), c.in().OneIn(8) ? c.in().Number() : kReadWrite, nullptr, nullptr,
                       c.NewSession());
}
CK_RV Login(Caller& c) {
  const Argument pin = c.Pin();
  return C_Login(c.Session(), c.in().OneIn(4) ? c.in().Byte() % 4 : CKU_USER, pin.data, pin.size);
}
CK_RV SetPin(Caller& c) {
  const Argument before = c.Pin(), after = c.Pin();
  return C_SetPIN(c.Session(), before.data, before.size, after.data, after.size);
}
CK_RV InitToken(Caller& c) {
  const Argument pin = c.Pin();
  Bytes label = Copy(c.in().Take(32));
  label.resize(32, ' ');
  return C_InitToken(c.Slot(), pin.data, pin.size, label.data());
}
CK_RV CreateObject(Caller& c) {
  const auto attributes = c.Template();
  return C_CreateObject(c.Session(), attributes.data(), attributes.size(), c.NewObject());
}
CK_RV CopyObject(Caller& c) {
  const auto attributes = c.Template();
  return C_CopyObject(c.Session(), c.Object(), attributes.data(), attributes.size(), c.NewObject());
}
CK_RV DestroyObject(Caller& c) { return C_DestroyObject(c.Session(), c.Object()); }
CK_RV GetObjectSize(Caller& c) {
  CK_ULONG size = 0;
  return C_GetObjectSize(c.Session(), c.Object(), &size);
}
CK_RV GetAttributes(Caller& c) {
  const auto attributes = c.Template();
  for (CK_ATTRIBUTE& attribute : attributes) {
    attribute.ulValueLen = 16 * size_t{c.in().Byte()};
    attribute.pValue = c.in().OneIn(4) ? nullptr : c.arena().Room(attribute.ulValueLen).data();
  }
  return C_GetAttributeValue(c.Session(), c.Object(), attributes.data(), attributes.size());
}
CK_RV SetAttributes(Caller& c) {
  const auto attributes = c.Template();
  return C_SetAttributeValue(c.Session(), c.Object(), attributes.data(), attributes.size());
}
CK_RV FindInit(Caller& c) {
  const auto attributes = c.in().OneIn(2) ? c.Template() : std::span<CK_ATTRIBUTE>();
  return C_FindObjectsInit(c.Session(), attributes.data(), attributes.size());
}
CK_RV Find(Caller& c) {
  CK_OBJECT_HANDLE found[16];
  CK_ULONG count = 0;
  const CK_RV rv = C_FindObjects(c.Session(), found, c.in().Byte() % 17, &count);
  if (rv == CKR_OK) c.Found(std::span(found).first(count));
  return rv;
}
CK_RV Verify(Caller& c) {
  const Argument data = c.In(), signature = c.In();
  return C_Verify(c.Session(), data.data, data.size, signature.data, signature.size);
}
CK_RV GenerateKey(Caller& c) {
  const auto attributes = c.Template();
  return C_GenerateKey(c.Session(), c.Mechanism(), attributes.data(), attributes.size(),
                       c.NewObject());
}
CK_RV GenerateKeyPair(Caller& c) {
  const auto one = c.Template(), other = c.Template();
  return C_GenerateKeyPair(c.Session(), c.Mechanism(), one.data(), one.size(), other.data(),
                           other.size(), c.NewObject(), c.NewObject());
}
CK_RV WrapKey(Caller& c) {
  const auto out = c.Out();
  return C_WrapKey(c.Session(), c.Mechanism(), c.Object(), c.Object(), out.data, out.size);
}
CK_RV UnwrapKey(Caller& c) {
  const Argument wrapped = c.In();
  const auto attributes = c.Template();
  return C_UnwrapKey(c.Session(), c.Mechanism(), c.Object(), wrapped.data, wrapped.size,
                     attributes.data(), attributes.size(), c.NewObject());
}
CK_RV DeriveKey(Caller& c) {
  const auto attributes = c.Template();
  return C_DeriveKey(c.Session(), c.Mechanism(), c.Object(), attributes.data(), attributes.size(),
                     c.NewObject());
}
CK_RV GenerateRandom(Caller& c) {
  Bytes& room = c.arena().Room(c.in().Byte());
  return C_GenerateRandom(c.Session(), room.data(), room.size());
}
CK_RV MechanismInfo(Caller& c) {
  CK_MECHANISM_INFO info;
  const CK_MECHANISM* mechanism = c.Mechanism();
  return C_GetMechanismInfo(c.Slot(), mechanism == nullptr ? 0 : mechanism->mechanism, &info);
}
CK_RV TokenInfo(Caller& c) {
  CK_TOKEN_INFO info;
  return C_GetTokenInfo(c.Slot(), &info);
}
CK_RV SessionInfo(Caller& c) {
  CK_SESSION_INFO info;
  return C_GetSessionInfo(c.Session(), &info);
}
CK_RV DigestKey(Caller& c) { return C_DigestKey(c.Session(), c.Object()); }
CK_RV SessionCancel(Caller& c) { return C_SessionCancel(c.Session(), c.in().Number()); }

// CK_GCM_MESSAGE_PARAMS and both message functions.
template <auto function>
CK_RV Message(Caller& c) {
  Bytes& iv = c.arena().Room(c.in().Byte() % 32);
  Bytes& tag = c.arena().Room(16);
  CK_GCM_MESSAGE_PARAMS params{.pIv = iv.data(),
                               .ulIvLen = iv.size(),
                               .ulIvFixedBits = c.in().Number(),
                               .ivGenerator = c.in().Byte() % 5u,
                               .pTag = tag.data(),
                               .ulTagBits = c.in().OneIn(8) ? c.in().Number() % 129 : 128};
  const Argument aad = c.In(), in = c.In();
  const auto out = c.Out();
  return function(c.Session(), &params, c.in().OneIn(16) ? c.in().Byte() : sizeof params, aad.data,
                  aad.size, in.data, in.size, out.data, out.size);
}

constexpr Step kSteps[] = {OpenSession,
                           OnlySession<C_CloseSession>,
                           Login,
                           OnlySession<C_Logout>,
                           OnlyIn<C_InitPIN>,
                           SetPin,
                           InitToken,
                           CreateObject,
                           CopyObject,
                           DestroyObject,
                           GetObjectSize,
                           GetAttributes,
                           SetAttributes,
                           FindInit,
                           Find,
                           OnlySession<C_FindObjectsFinal>,
                           [](Caller& c) { return C_DigestInit(c.Session(), c.Mechanism()); },
                           InOut<C_Digest>,
                           OnlyIn<C_DigestUpdate>,
                           DigestKey,
                           OnlyOut<C_DigestFinal>,
                           Begin<C_EncryptInit>,
                           InOut<C_Encrypt>,
                           InOut<C_EncryptUpdate>,
                           OnlyOut<C_EncryptFinal>,
                           Begin<C_DecryptInit>,
                           InOut<C_Decrypt>,
                           InOut<C_DecryptUpdate>,
                           OnlyOut<C_DecryptFinal>,
                           Begin<C_SignInit>,
                           InOut<C_Sign>,
                           OnlyIn<C_SignUpdate>,
                           OnlyOut<C_SignFinal>,
                           Begin<C_VerifyInit>,
                           Verify,
                           OnlyIn<C_VerifyUpdate>,
                           OnlyIn<C_VerifyFinal>,
                           Begin<C_SignRecoverInit>,
                           InOut<C_SignRecover>,
                           Begin<C_VerifyRecoverInit>,
                           InOut<C_VerifyRecover>,
                           InOut<C_DigestEncryptUpdate>,
                           InOut<C_DecryptDigestUpdate>,
                           InOut<C_SignEncryptUpdate>,
                           InOut<C_DecryptVerifyUpdate>,
                           GenerateKey,
                           GenerateKeyPair,
                           WrapKey,
                           UnwrapKey,
                           DeriveKey,
                           OnlyIn<C_SeedRandom>,
                           GenerateRandom,
                           MechanismInfo,
                           TokenInfo,
                           SessionInfo,
                           SessionCancel,
                           OnlyOut<C_GetOperationState>,
                           Begin<C_MessageEncryptInit>,
                           Message<C_EncryptMessage>,
                           OnlySession<C_MessageEncryptFinal>,
                           Begin<C_MessageDecryptInit>,
                           Message<C_DecryptMessage>,
                           OnlySession<C_MessageDecryptFinal>};

// A session with its user logged in and its objects found: where most sequences of interest start.
void Prepare(Caller& c, CK_SLOT_ID slot) {
  CK_SESSION_HANDLE* session = c.NewSession();
  Must(C_OpenSession(slot, kReadWrite, nullptr, nullptr, session));
  Must(C_Login(*session, CKU_USER, Mutable(kPin), kPin.size()));
  CK_OBJECT_HANDLE found[32];
  CK_ULONG count = 0;
  Must(C_FindObjectsInit(*session, nullptr, 0));
  Must(C_FindObjects(*session, found, std::size(found), &count));
  Must(C_FindObjectsFinal(*session));
  c.Found(std::span(found).first(count));
}

}  // namespace
}  // namespace keyscope::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace keyscope::fuzz;
  static auto& world = *new World;
  Input in(data, size);
  Caller caller(in);
  const uint8_t start = in.Byte();
  if (start % 4 != 3) Prepare(caller, start % 2);
  for (int steps = 0; !in.Done() && steps < 100; ++steps) {
    const CK_RV rv = in.Pick(std::span(kSteps))(caller);
    if (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED) abort();
  }
  world.Restore();
  return 0;
}
