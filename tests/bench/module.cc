#include "tests/bench/module.h"

#include <stdexcept>

#include "tests/bench/team.h"

namespace keyscope::bench {
namespace {

const Bytes kEcId = {0xbe, 0x01}, kRsaId = {0xbe, 0x02}, kOtherId = {0xbe, 0x03};

Bytes& Message() {
  static auto& message = *new Bytes(32, 0x5a);
  return message;
}

}  // namespace

Module::Module(const ModuleOptions& options) : p11_(options) {
  Open();
  MakeIfAbsent(CKM_EC_KEY_PAIR_GEN, kEcId);
  MakeIfAbsent(CKM_RSA_PKCS_KEY_PAIR_GEN, kRsaId);
  p11_.Finalize();
}

Module::~Module() {
  try {
    for (const Bytes& id : made_) Destroy({Find(CKO_PUBLIC_KEY, id), Find(CKO_PRIVATE_KEY, id)});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name().c_str(), error.what());
  }
  p11_->C_Finalize(nullptr);
}

void Module::Open() {
  p11_.Initialize();
  session_ = p11_.NewSessionLoggedIn();
}

void Module::Warm() {
  Open();
  for (int i = 0; i < kMostThreads; ++i) thread_sessions_.push_back(p11_.NewSession());
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
      {CKA_TOKEN, &yes, sizeof yes},
      {CKA_PRIVATE, &yes, sizeof yes},
      {CKA_ID, id.data(), id.size()},
      {CKA_SIGN, &yes, sizeof yes},
      {ec ? CKA_DERIVE : CKA_DECRYPT, &yes, sizeof yes},
  };
  const CK_ULONG last = ec ? 1 : 0;  // elliptic-curve keys do not encrypt
  CK_MECHANISM mechanism{type, nullptr, 0};
  Pair pair;
  Must(p11_->C_GenerateKeyPair(session_, &mechanism, public_half, std::size(public_half) - last,
                               private_half, std::size(private_half), &pair.public_key,
                               &pair.private_key),
       "C_GenerateKeyPair");
  return pair;
}

void Module::Destroy(const Pair& pair) {
  Must(p11_->C_DestroyObject(session_, pair.private_key), "C_DestroyObject");
  // In some modules the halves go together.
  p11_->C_DestroyObject(session_, pair.public_key);
}

std::vector<CK_OBJECT_HANDLE> Module::FindAll(CK_OBJECT_CLASS object_class, Bytes id) const {
  CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &object_class, sizeof object_class},
                           {CKA_ID, id.data(), id.size()}};
  return p11_.Find(session_, wanted, 2);
}

CK_OBJECT_HANDLE Module::Find(CK_OBJECT_CLASS object_class, const Bytes& id) const {
  const auto found = FindAll(object_class, id);
  if (found.size() != 1) throw std::runtime_error("not just one key has the CKA_ID");
  return found.front();
}

Bytes Module::Sign(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) const {
  CK_MECHANISM mechanism{type, nullptr, 0};
  Bytes signature(256);
  CK_ULONG size = signature.size();
  Must(p11_->C_SignInit(session, &mechanism, key), "C_SignInit");
  Must(p11_->C_Sign(session, Message().data(), Message().size(), signature.data(), &size),
       "C_Sign");
  signature.resize(size);
  return signature;
}

std::function<void()> Module::Signing(const Row& row, CK_MECHANISM_TYPE type,
                                      CK_OBJECT_HANDLE key) const {
  auto sign = [=, this, each = row.repetitions / row.threads](size_t thread) {
    for (int n = 0; n < each; ++n) Sign(thread_sessions_[thread], type, key);
  };
  if (row.threads == 1) return [sign] { sign(0); };
  const auto team = std::make_shared<Team>(static_cast<size_t>(row.threads), sign);
  return [team] { team->Once(); };
}

void Module::ColdSign() {
  Open();
  Sign(session_, CKM_ECDSA, Find(CKO_PRIVATE_KEY, kEcId));
  p11_.Finalize();
}

void Module::Verify(Bytes& signature) const {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  Must(p11_->C_VerifyInit(session_, &mechanism, ec_.public_key), "C_VerifyInit");
  Must(p11_->C_Verify(session_, Message().data(), Message().size(), signature.data(),
                      signature.size()),
       "C_Verify");
}

void Module::Digest(Bytes& data) const {
  CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
  CK_BYTE digest[32];
  CK_ULONG size = sizeof digest;
  Must(p11_->C_DigestInit(session_, &mechanism), "C_DigestInit");
  Must(p11_->C_Digest(session_, data.data(), data.size(), digest, &size), "C_Digest");
}

Bytes Module::EncryptRsa() const {
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  Bytes ciphertext(256);
  CK_ULONG size = ciphertext.size();
  Must(p11_->C_EncryptInit(session_, &mechanism, rsa_.public_key), "C_EncryptInit");
  Must(p11_->C_Encrypt(session_, Message().data(), Message().size(), ciphertext.data(), &size),
       "C_Encrypt");
  return ciphertext;
}

void Module::DecryptRsa(Bytes& ciphertext) const {
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  Bytes plain(256);
  CK_ULONG size = plain.size();
  Must(p11_->C_DecryptInit(session_, &mechanism, rsa_.private_key), "C_DecryptInit");
  Must(p11_->C_Decrypt(session_, ciphertext.data(), ciphertext.size(), plain.data(), &size),
       "C_Decrypt");
}

// What is inside the DER octet string.
Bytes Module::PointOf(CK_OBJECT_HANDLE public_key) const {
  Bytes der(128);
  CK_ATTRIBUTE point{CKA_EC_POINT, der.data(), der.size()};
  Must(p11_->C_GetAttributeValue(session_, public_key, &point, 1), "C_GetAttributeValue");
  return {der.begin() + 2, der.begin() + static_cast<std::ptrdiff_t>(point.ulValueLen)};
}

void Module::Derive(Bytes& point) const {
  CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
  CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG size = 32;
  CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &secret, sizeof secret},
                               {CKA_KEY_TYPE, &generic, sizeof generic},
                               {CKA_TOKEN, &no, sizeof no},
                               {CKA_VALUE_LEN, &size, sizeof size}};
  CK_ECDH1_DERIVE_PARAMS parameters{CKD_NULL, 0, nullptr, point.size(), point.data()};
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &parameters, sizeof parameters};
  CK_OBJECT_HANDLE key = 0;
  Must(p11_->C_DeriveKey(session_, &mechanism, ec_.private_key, attributes, std::size(attributes),
                         &key),
       "C_DeriveKey");
  Must(p11_->C_DestroyObject(session_, key), "C_DestroyObject");
}

void Module::CreateData() const {
  CK_OBJECT_CLASS data = CKO_DATA;
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  char label[] = "bench";
  CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &data, sizeof data},
                               {CKA_TOKEN, &yes, sizeof yes},
                               {CKA_PRIVATE, &no, sizeof no},
                               {CKA_LABEL, label, sizeof label - 1},
                               {CKA_VALUE, Message().data(), Message().size()}};
  CK_OBJECT_HANDLE object = 0;
  Must(p11_->C_CreateObject(session_, attributes, std::size(attributes), &object),
       "C_CreateObject");
  Must(p11_->C_DestroyObject(session_, object), "C_DestroyObject");
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

void Module::EncryptAes(CK_OBJECT_HANDLE key) const {
  Bytes iv(16), data(size_t{16} << 10);
  CK_MECHANISM mechanism{CKM_AES_CBC, iv.data(), iv.size()};
  CK_ULONG size = data.size();
  Must(p11_->C_EncryptInit(session_, &mechanism, key), "C_EncryptInit");
  Must(p11_->C_Encrypt(session_, data.data(), data.size(), data.data(), &size), "C_Encrypt");
}

std::function<void()> Module::Doing(const Row& row) {
  const bool is_warm = !thread_sessions_.empty();
  if (is_warm) FindKeys();
  switch (row.work) {
    case Work::InitializeFinalize:
      return [this] {
        p11_.Initialize();
        p11_.Finalize();
      };
    case Work::ColdSign:
      return [this] { ColdSign(); };
    case Work::Login:
      return [this] {
        Must(p11_->C_Logout(session_), "C_Logout");
        p11_.Login(session_);
      };
    case Work::SignEc:
      return Signing(row, CKM_ECDSA, ec_.private_key);
    case Work::SignRsa:
      return Signing(row, CKM_SHA256_RSA_PKCS, rsa_.private_key);
    case Work::VerifyEc:
      return [this, signature = Sign(session_, CKM_ECDSA, ec_.private_key)]() mutable {
        Verify(signature);
      };
    case Work::Digest:
      return Repeating(row, [this, data = Bytes(row.size)]() mutable { Digest(data); });
    case Work::FindById:
      return [this] { Find(CKO_PRIVATE_KEY, kEcId); };
    case Work::Random:
      return [this] {
        CK_BYTE bytes[32];
        Must(p11_->C_GenerateRandom(session_, bytes, sizeof bytes), "C_GenerateRandom");
      };
    case Work::DecryptRsa:
      return [this, ciphertext = EncryptRsa()]() mutable { DecryptRsa(ciphertext); };
    case Work::DeriveEc:
      return [this, point = PointOf(ec_.public_key)]() mutable { Derive(point); };
    case Work::TokenAes:
    case Work::SessionAes:
      return [this, key = NewAes(row.work == Work::TokenAes)] { EncryptAes(*key); };
    case Work::CreateData:
      return [this] { CreateData(); };
    case Work::GenerateEc:
      return [this] { Destroy(Generate(CKM_EC_KEY_PAIR_GEN, kOtherId)); };
    case Work::GenerateRsa:
      return [this] { Destroy(Generate(CKM_RSA_PKCS_KEY_PAIR_GEN, kOtherId)); };
  }
  return {};
}

}  // namespace keyscope::bench
