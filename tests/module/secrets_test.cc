// PINs, key values, the token secret and key auths: in no file, in no log, and in no memory once
// they have been used, freed memory included.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "store/object_store.h"
#include "tests/module/memory_scan.h"
#include "tests/module/openssl.h"
#include "tests/module/operations.h"
#include "token/crypto/box.h"
#include "token/vault.h"
#include "tpm/backend.h"

namespace keyscope::test {
namespace {

// Sanitizers keep freed memory, and their own maps are too large to read.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kReadsMemory = false;
#else
constexpr bool kReadsMemory = true;
#endif

class Secrets : public Module {
 protected:
  void SetUp() override {
    Module::SetUp();
    C_Finalize(nullptr);
    setenv("KEYSCOPE_LOG", "trace", 1);
    setenv("KEYSCOPE_LOG_FILE", (folder() + "/log").c_str(), 1);
    ASSERT_OK(C_Initialize(nullptr));
  }
  void TearDown() override {
    unsetenv("KEYSCOPE_LOG");
    unsetenv("KEYSCOPE_LOG_FILE");
    Module::TearDown();
  }

  static CK_RV LogIn(CK_SESSION_HANDLE session, CK_USER_TYPE user, const MaskedSecret& pin) {
    Exposed clear(pin);
    return C_Login(session, user, clear.data(), clear.size());
  }
  // A token object with a secret value, from a template that leaves no copy.
  static CK_OBJECT_HANDLE Import(CK_SESSION_HANDLE session, Attributes attributes,
                                 CK_ATTRIBUTE_TYPE type, const MaskedSecret& value) {
    Exposed clear(value);
    CK_BBOOL yes = CK_TRUE;
    std::vector<CK_ATTRIBUTE> all(attributes.data(), attributes.data() + attributes.size());
    all.push_back({CKA_TOKEN, &yes, sizeof yes});
    all.push_back({CKA_PRIVATE, &yes, sizeof yes});
    all.push_back({type, clear.data(), clear.size()});
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    EXPECT_OK(C_CreateObject(session, all.data(), all.size(), &object));
    return object;
  }
  void SetPins() {
    const CK_SESSION_HANDLE session = Open();
    ASSERT_OK(Login(session, CKU_SO, kSoPin));
    Exposed so(so_pin), first(first_pin), user(user_pin);
    ASSERT_OK(C_SetPIN(session, Mutable(kSoPin), kSoPin.size(), so.data(), so.size()));
    ASSERT_OK(C_InitPIN(session, first.data(), first.size()));
    ASSERT_OK(C_Logout(session));
    ASSERT_RV(CKR_PIN_INCORRECT, LogIn(session, CKU_USER, wrong_pin));
    ASSERT_OK(C_SetPIN(session, first.data(), first.size(), user.data(), user.size()));
    ASSERT_OK(C_CloseSession(session));
    ClearLockout();
  }
  void MakeAndUseKeys(CK_SESSION_HANDLE session) {
    const CK_OBJECT_HANDLE aes = Import(
        session, {{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_AES}, {CKA_EXTRACTABLE, true}},
        CKA_VALUE, aes_value);
    const CK_OBJECT_HANDLE hmac = Import(
        session,
        {{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_GENERIC_SECRET}, {CKA_DERIVE, true}},
        CKA_VALUE, hmac_value);
    const CK_OBJECT_HANDLE ec = Import(
        session,
        {{CKA_CLASS, CKO_PRIVATE_KEY}, {CKA_KEY_TYPE, CKK_EC}, {CKA_EC_PARAMS, P256().params}},
        CKA_VALUE, scalar);
    const CK_OBJECT_HANDLE data = Import(session, {{CKA_CLASS, CKO_DATA}}, CKA_VALUE, contents);
    EXPECT_FALSE(Do(kEncrypt, session, Gcm(Pattern(12), {}, 128), aes, Pattern(40)).empty());
    EXPECT_FALSE(Do(kSign, session, CKM_AES_CMAC, aes, Pattern(40)).empty());
    EXPECT_FALSE(Do(kSign, session, CKM_SHA256_HMAC, hmac, Pattern(40)).empty());
    EXPECT_FALSE(Do(kSign, session, CKM_ECDSA_SHA256, ec, Pattern(40)).empty());
    EXPECT_FALSE(Do(kEncrypt, session, CKM_AES_KEY_WRAP_KWP, aes, Pattern(40)).empty());
    Bytes wrapped(256);
    CK_ULONG size = wrapped.size();
    EXPECT_OK(
        C_WrapKey(session, Mechanism(CKM_AES_KEY_WRAP).get(), aes, aes, wrapped.data(), &size));
    Attributes derived{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_VALUE_LEN, 32}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    EXPECT_OK(C_DeriveKey(session, Hkdf(kSha256, true, true, {}, {}).get(), hmac, derived.data(),
                          derived.size(), &key));
    SecretBytes read(contents.masked.size());
    CK_ATTRIBUTE value{CKA_VALUE, read.data(), read.size()};
    EXPECT_OK(C_GetAttributeValue(session, data, &value, 1));
    EXPECT_OK(Set(session, data, {{CKA_LABEL, "renamed"}}));
    EXPECT_TRUE(ConstantTimeEqual(read.view(), Exposed(contents).view()));
    GenerateEc(session, P256(), {{CKA_TOKEN, true}});
  }
  // What only the module knew: the token secret, and the auths of its keys.
  std::vector<MaskedSecret> ModulesOwn() {
    std::vector<MaskedSecret> all;
    store::ObjectStore store(folder() + "/machine/machine.db", KeyScope::Machine);
    const auto row = store.LoadToken();
    const Exposed pin(user_pin);
    const auto backend = tpm::MakeBackend({.tcti = proxy().tcti(), .owner_auth = {}});
    const tpm::Root root{static_cast<uint32_t>(row->root_handle), row->root_public, row->root_name};
    const token::Vault vault(
        backend->Unseal(root, {row->user_pin->public_area, row->user_pin->private_area},
                        crypto::HmacSha256(row->epoch, {AsBytes("pin"), pin.view()})));
    all.push_back(MaskedSecret::Of("the token secret", vault.token_secret().view()));
    for (int64_t id : store.Find({.with_private = true}, 0, 100)) {
      const auto object = store.Load(id);
      if (!object->material || object->object_class != CKO_PRIVATE_KEY) continue;
      const SecretBytes auth = vault.OpenAuth(object->uid, object->scope, object->material->auth);
      all.push_back(MaskedSecret::Of("a key's auth", auth.view()));
    }
    return all;
  }
  std::vector<std::string> FindInFiles(const std::vector<MaskedSecret>& secrets) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
      if (!entry.is_regular_file()) continue;
      for (std::string& one : FindInFile(secrets, entry.path())) found.push_back(std::move(one));
    }
    return found;
  }

  const MaskedSecret so_pin = MaskedSecret::Random("the SO PIN", 32),
                     first_pin = MaskedSecret::Random("the first PIN", 32),
                     user_pin = MaskedSecret::Random("the user PIN", 32),
                     wrong_pin = MaskedSecret::Random("a wrong PIN", 32),
                     aes_value = MaskedSecret::Random("an AES key", 32),
                     hmac_value = MaskedSecret::Random("an HMAC key", 48),
                     scalar = MaskedSecret::Random("an EC key", 32),
                     contents = MaskedSecret::Random("a private data object", 500);
  const std::vector<MaskedSecret> pins{so_pin, first_pin, user_pin, wrong_pin};
};

using Found = std::vector<std::string>;

// Or else none of what follows means anything.
TEST_F(Secrets, TheSearchFindsWhatIsThere) {
  const MaskedSecret secret = MaskedSecret::Random("a secret", 32);
  if (kReadsMemory) {
    EXPECT_EQ(FindInMemory({secret}), Found{});
    const Exposed clear(secret);
    EXPECT_FALSE(FindInMemory({secret}).empty());
  }
  std::ofstream(folder() + "/raw") << AsString(Exposed(secret).view());
  std::ofstream(folder() + "/hex") << Hex(Exposed(secret).view());
  EXPECT_EQ(FindInFiles({secret}).size(), 6U) << "two pieces, and four of their digits";
}

TEST_F(Secrets, StayNowhere) {
  SetPins();
  CK_SESSION_HANDLE session = Open();
  ASSERT_OK(LogIn(session, CKU_USER, user_pin));
  MakeAndUseKeys(session);
  if (kReadsMemory) {
    EXPECT_EQ(FindInMemory(pins), Found{}) << "a login needs no PIN any more";
  }
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(C_Finalize(nullptr));

  std::vector<MaskedSecret> all = ModulesOwn();
  EXPECT_EQ(all.size(), 3U) << "the token secret and two key auths";
  all.insert(all.end(), pins.begin(), pins.end());
  for (const MaskedSecret* one : {&aes_value, &hmac_value, &scalar, &contents}) all.push_back(*one);
  if (kReadsMemory) {
    EXPECT_EQ(FindInMemory(all), Found{});
  }
  EXPECT_EQ(FindInFiles(all), Found{});
}

TEST_F(Secrets, TravelEncryptedToTheTpm) {
  const std::string bus = folder() + "/bus";
  proxy().Record(bus);
  ASSERT_OK(InitToken(kMachineSlot));
  SetPins();
  const CK_SESSION_HANDLE session = Open();
  ASSERT_OK(LogIn(session, CKU_USER, user_pin));
  MakeAndUseKeys(session);
  const MaskedSecret plaintext = MaskedSecret::Random("a plaintext", 32),
                     digest = MaskedSecret::Random("a digest", 32);
  const KeyPair rsa = GenerateRsa(session);
  const Bytes cipher =
      Do(kEncrypt, session, CKM_RSA_PKCS, rsa.public_key, Exposed(plaintext).view());
  EXPECT_TRUE(Equal(Do(kDecrypt, session, CKM_RSA_PKCS, rsa.private_key, cipher),
                    Exposed(plaintext).view()));
  const KeyPair ec = GenerateEc(session);
  Do(kSign, session, CKM_ECDSA, ec.private_key, Exposed(digest).view());
  SecretBytes drawn(32);
  ASSERT_OK(C_GenerateRandom(session, drawn.data(), drawn.size()));
  const MaskedSecret random = MaskedSecret::Of("a random number", drawn.view());
  const Bytes point = Get(session, ec.public_key, CKA_EC_POINT);
  const MaskedSecret x = MaskedSecret::Of("a public point", ByteView(point).subspan(3, 32));
  ASSERT_OK(C_Finalize(nullptr));
  proxy().Record("");

  std::vector<MaskedSecret> all = ModulesOwn();
  all.insert(all.end(), pins.begin(), pins.end());
  for (const MaskedSecret* one :
       {&aes_value, &hmac_value, &scalar, &contents, &plaintext, &digest, &random})
    all.push_back(*one);
  EXPECT_EQ(FindInFile(all, bus), Found{});
  EXPECT_EQ(FindInFile({x}, bus).size(), 2U) << "what is public is seen, in two pieces";
}

}  // namespace
}  // namespace keyscope::test
