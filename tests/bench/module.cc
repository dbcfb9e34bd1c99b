#include "tests/bench/module.h"

#include <dlfcn.h>

#include <filesystem>
#include <stdexcept>
#include <thread>

namespace keyscope::bench {
namespace {

const Bytes kEcId = {0xbe, 0x01}, kRsaId = {0xbe, 0x02}, kOtherId = {0xbe, 0x03};

void Must(CK_RV rv, const char* call) {
  if (rv == CKR_OK) return;
  char code[32];
  std::snprintf(code, sizeof code, " fails: 0x%lx", rv);
  throw std::runtime_error(call + std::string(code));
}

Bytes& Message() {
  static auto& message = *new Bytes(32, 0x5a);
  return message;
}

}  // namespace

Module::Module(const ModuleOptions& options)
    : name_(std::filesystem::path(options.path).stem().string()), options_(options) {
  Load(options.path);
  Open();
  MakeIfAbsent(CKM_EC_KEY_PAIR_GEN, kEcId);
  MakeIfAbsent(CKM_RSA_PKCS_KEY_PAIR_GEN, kRsaId);
  Close();
}

Module::~Module() {
  try {
    for (const Bytes& id : made_) Destroy({Find(CKO_PUBLIC_KEY, id), Find(CKO_PRIVATE_KEY, id)});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name_.c_str(), error.what());
  }
  p11_->C_Finalize(nullptr);
}

void Module::Load(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto list =
      reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(dlsym(library, "C_GetFunctionList"));
  if (list == nullptr) throw std::runtime_error(path + " is no PKCS#11 module");
  Must(list(&p11_), "C_GetFunctionList");
}

void Module::Open() {
  InitializeArgs args{nullptr, nullptr, nullptr, nullptr, CKF_OS_LOCKING_OK, nullptr};
  Must(p11_->C_Initialize(&args), "C_Initialize");
  session_ = NewSession();
  Login();
}

void Module::Close() { Must(p11_->C_Finalize(nullptr), "C_Finalize"); }

CK_SLOT_ID Module::Slot() {
  if (options_.slot) return *options_.slot;
  CK_SLOT_ID slots[64];
  CK_ULONG count = std::size(slots);
  Must(p11_->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info;
    if (p11_->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    if ((info.flags & CKF_USER_PIN_INITIALIZED) != 0) return *(options_.slot = slots[i]);
  }
  throw std::runtime_error("no token with a user PIN");
}

CK_SESSION_HANDLE Module::NewSession() {
  CK_SESSION_HANDLE session = 0;
  Must(p11_->C_OpenSession(Slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
       "C_OpenSession");
  return session;
}

void Module::Login() {
  auto* pin = reinterpret_cast<CK_UTF8CHAR_PTR>(options_.pin.data());
  Must(p11_->C_Login(session_, CKU_USER, pin, options_.pin.size()), "C_Login");
}

void Module::Warm() {
  Open();
  for (int i = 0; i < kThreads; ++i) thread_sessions_.push_back(NewSession());
}

void Module::FindKeys() {
  ec_ = {Find(CKO_PUBLIC_KEY, kEcId), Find(CKO_PRIVATE_KEY, kEcId)};
  rsa_ = {Find(CKO_PUBLIC_KEY, kRsaId), Find(CKO_PRIVATE_KEY, kRsaId)};
}

void Module::MakeIfAbsent(CK_MECHANISM_TYPE type, const Bytes& id) {
  if (!FindAll(CKO_PRIVATE_KEY, id).empty()) return;
  Generate(type, id);
  made_.push_back(id);
}

Module::Pair Module::Generate(CK_MECHANISM_TYPE type, Bytes id) {
  Bytes p256 = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  CK_ULONG bits = 2048;
  CK_BBOOL yes = CK_TRUE;
  const bool ec = type == CKM_EC_KEY_PAIR_GEN;
  CK_ATTRIBUTE public_half[] = {
      {CKA_TOKEN, &yes, sizeof yes},
      {CKA_ID, id.data(), id.size()},
      {CKA_VERIFY, &yes, sizeof yes},
      ec ? CK_ATTRIBUTE{CKA_EC_PARAMS, p256.data(), p256.size()}
         : CK_ATTRIBUTE{CKA_MODULUS_BITS, &bits, sizeof bits},
      {CKA_ENCRYPT, &yes, sizeof yes},
  };
  CK_ATTRIBUTE private_half[] = {
      {CKA_TOKEN, &yes, sizeof yes},   {CKA_PRIVATE, &yes, sizeof yes},
      {CKA_ID, id.data(), id.size()},  {CKA_SIGN, &yes, sizeof yes},
      {CKA_DECRYPT, &yes, sizeof yes},
  };
  const CK_ULONG last = ec ? 1 : 0;  // elliptic-curve keys neither encrypt nor decrypt
  CK_MECHANISM mechanism{type, nullptr, 0};
  Pair pair;
  Must(p11_->C_GenerateKeyPair(session_, &mechanism, public_half, std::size(public_half) - last,
                               private_half, std::size(private_half) - last, &pair.public_key,
                               &pair.private_key),
       "C_GenerateKeyPair");
  return pair;
}

void Module::Destroy(const Pair& pair) {
  Must(p11_->C_DestroyObject(session_, pair.private_key), "C_DestroyObject");
  // In some modules the halves go together.
  p11_->C_DestroyObject(session_, pair.public_key);
}

std::vector<CK_OBJECT_HANDLE> Module::FindAll(CK_OBJECT_CLASS object_class, Bytes id) {
  CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &object_class, sizeof object_class},
                           {CKA_ID, id.data(), id.size()}};
  std::vector<CK_OBJECT_HANDLE> found(2);
  CK_ULONG count = 0;
  Must(p11_->C_FindObjectsInit(session_, wanted, std::size(wanted)), "C_FindObjectsInit");
  Must(p11_->C_FindObjects(session_, found.data(), found.size(), &count), "C_FindObjects");
  Must(p11_->C_FindObjectsFinal(session_), "C_FindObjectsFinal");
  found.resize(count);
  return found;
}

CK_OBJECT_HANDLE Module::Find(CK_OBJECT_CLASS object_class, const Bytes& id) {
  const auto found = FindAll(object_class, id);
  if (found.size() != 1) throw std::runtime_error("not just one key has the CKA_ID");
  return found.front();
}

Bytes Module::Sign(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) {
  CK_MECHANISM mechanism{type, nullptr, 0};
  Bytes signature(256);
  CK_ULONG size = signature.size();
  Must(p11_->C_SignInit(session, &mechanism, key), "C_SignInit");
  Must(p11_->C_Sign(session, Message().data(), Message().size(), signature.data(), &size),
       "C_Sign");
  signature.resize(size);
  return signature;
}

void Module::SignInThreads() {
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  std::exception_ptr failed[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, session = thread_sessions_[i], &failure = failed[i]] {
      try {
        for (int n = 0; n < kSignsPerThread; ++n) Sign(session, CKM_ECDSA, ec_.private_key);
      } catch (...) {
        failure = std::current_exception();
      }
    });
  }
  threads.clear();
  for (const auto& failure : failed)
    if (failure) std::rethrow_exception(failure);
}

void Module::ColdSign() {
  Open();
  Sign(session_, CKM_ECDSA, Find(CKO_PRIVATE_KEY, kEcId));
  Close();
}

void Module::Verify(Bytes& signature) {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  Must(p11_->C_VerifyInit(session_, &mechanism, ec_.public_key), "C_VerifyInit");
  Must(p11_->C_Verify(session_, Message().data(), Message().size(), signature.data(),
                      signature.size()),
       "C_Verify");
}

void Module::Digest() {
  CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
  Bytes data(1024), digest(32);
  CK_ULONG size = digest.size();
  Must(p11_->C_DigestInit(session_, &mechanism), "C_DigestInit");
  Must(p11_->C_Digest(session_, data.data(), data.size(), digest.data(), &size), "C_Digest");
}

Bytes Module::EncryptRsa() {
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  Bytes ciphertext(256);
  CK_ULONG size = ciphertext.size();
  Must(p11_->C_EncryptInit(session_, &mechanism, rsa_.public_key), "C_EncryptInit");
  Must(p11_->C_Encrypt(session_, Message().data(), Message().size(), ciphertext.data(), &size),
       "C_Encrypt");
  return ciphertext;
}

void Module::DecryptRsa(Bytes& ciphertext) {
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  Bytes plain(256);
  CK_ULONG size = plain.size();
  Must(p11_->C_DecryptInit(session_, &mechanism, rsa_.private_key), "C_DecryptInit");
  Must(p11_->C_Decrypt(session_, ciphertext.data(), ciphertext.size(), plain.data(), &size),
       "C_Decrypt");
}

std::shared_ptr<CK_OBJECT_HANDLE> Module::NewAes(bool token) {
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE, is_token = token ? CK_TRUE : CK_FALSE;
  CK_ULONG size = 32;
  CK_ATTRIBUTE attributes[] = {
      {CKA_TOKEN, &is_token, sizeof is_token}, {CKA_SENSITIVE, &yes, sizeof yes},
      {CKA_EXTRACTABLE, &no, sizeof no},       {CKA_ENCRYPT, &yes, sizeof yes},
      {CKA_VALUE_LEN, &size, sizeof size},
  };
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = 0;
  Must(p11_->C_GenerateKey(session_, &mechanism, attributes, std::size(attributes), &key),
       "C_GenerateKey");
  return {new CK_OBJECT_HANDLE(key), [this](CK_OBJECT_HANDLE* done) {
            p11_->C_DestroyObject(session_, *done);
            delete done;
          }};
}

void Module::EncryptAes(CK_OBJECT_HANDLE key) {
  Bytes iv(16), data(size_t{16} << 10);
  CK_MECHANISM mechanism{CKM_AES_CBC, iv.data(), iv.size()};
  CK_ULONG size = data.size();
  Must(p11_->C_EncryptInit(session_, &mechanism, key), "C_EncryptInit");
  Must(p11_->C_Encrypt(session_, data.data(), data.size(), data.data(), &size), "C_Encrypt");
}

std::function<void()> Module::Doing(Work work) {
  if (!RowOf(work).cold) FindKeys();
  switch (work) {
    case Work::InitializeFinalize:
      return [this] {
        Must(p11_->C_Initialize(nullptr), "C_Initialize");
        Close();
      };
    case Work::ColdSign:
      return [this] { ColdSign(); };
    case Work::Login:
      return [this] {
        Must(p11_->C_Logout(session_), "C_Logout");
        Login();
      };
    case Work::SignEc:
      return [this] { Sign(session_, CKM_ECDSA, ec_.private_key); };
    case Work::SignEc8Threads:
      return [this] { SignInThreads(); };
    case Work::SignRsa:
      return [this] { Sign(session_, CKM_SHA256_RSA_PKCS, rsa_.private_key); };
    case Work::VerifyEc:
      return [this, signature = Sign(session_, CKM_ECDSA, ec_.private_key)]() mutable {
        Verify(signature);
      };
    case Work::Digest:
      return [this] { Digest(); };
    case Work::FindById:
      return [this] { Find(CKO_PRIVATE_KEY, kEcId); };
    case Work::Random:
      return [this] {
        CK_BYTE bytes[32];
        Must(p11_->C_GenerateRandom(session_, bytes, sizeof bytes), "C_GenerateRandom");
      };
    case Work::DecryptRsa:
      return [this, ciphertext = EncryptRsa()]() mutable { DecryptRsa(ciphertext); };
    case Work::TokenAes:
    case Work::SessionAes:
      return [this, key = NewAes(work == Work::TokenAes)] { EncryptAes(*key); };
    case Work::GenerateEc:
      return [this] { Destroy(Generate(CKM_EC_KEY_PAIR_GEN, kOtherId)); };
  }
  return {};
}

}  // namespace keyscope::bench
