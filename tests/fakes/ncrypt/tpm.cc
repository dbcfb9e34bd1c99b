// The inside of the TPM: its seed, its lockout counter, its storage root and endorsement keys.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {
namespace {

constexpr size_t kSeed = 32, kNonce = 12, kTag = 16;

struct State {
  Bytes seed;
  uint32_t tries;
};

std::wstring StateFile() { return Folder() + L"\\tpm"; }

void Save(const State& state) {
  Bytes content = state.seed;
  Put(content, state.tries, 4);
  WriteFile(StateFile(), content);
}

State Load() {
  Bytes content;
  if (ReadFile(StateFile(), content) && content.size() == kSeed + 4) {
    Cursor cursor{content};
    Bytes seed = cursor.Take(kSeed);
    return {std::move(seed), cursor.Number(4)};
  }
  State state{Random(kSeed), 0};
  Save(state);
  return state;
}

Bytes Derived(const char* label) {
  const std::string text = label;
  return Hmac(Load().seed, Bytes(text.begin(), text.end()));
}

Bytes WithoutTrailingZeros(Bytes auth) {
  while (!auth.empty() && auth.back() == 0) auth.pop_back();
  return auth;
}

// AES-256-GCM.
struct Cipher {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  ~Cipher() { EVP_CIPHER_CTX_free(context); }
};

}  // namespace

uint32_t Tries() { return Load().tries; }

void CheckAuth(const Bytes& expected, const Bytes& presented, Status wrong) {
  if (expected.empty()) return;
  State state = Load();
  Require(state.tries < kMaxTries, kTpmLockout);
  if (WithoutTrailingZeros(expected) == WithoutTrailingZeros(presented)) return;
  ++state.tries;
  Save(state);
  throw Failure{wrong};
}

Bytes Protect(const Bytes& public_area, const Bytes& secret) {
  Bytes nonce = Random(kNonce), tag(kTag), made(secret.size());
  Cipher cipher;
  int size = 0;
  EVP_EncryptInit_ex(cipher.context, EVP_aes_256_gcm(), nullptr, Derived("storage").data(),
                     nonce.data());
  EVP_EncryptUpdate(cipher.context, nullptr, &size, public_area.data(),
                    static_cast<int>(public_area.size()));
  EVP_EncryptUpdate(cipher.context, made.data(), &size, secret.data(),
                    static_cast<int>(secret.size()));
  EVP_EncryptFinal_ex(cipher.context, made.data() + size, &size);
  EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_GCM_GET_TAG, kTag, tag.data());
  return Join({nonce, tag, made});
}

Bytes Unprotect(const Bytes& public_area, const Bytes& protected_secret) {
  Cursor cursor{protected_secret};
  const Bytes nonce = cursor.Take(kNonce);
  Bytes tag = cursor.Take(kTag);
  const Bytes rest = cursor.Rest();
  Bytes secret(rest.size());
  Cipher cipher;
  int size = 0;
  EVP_DecryptInit_ex(cipher.context, EVP_aes_256_gcm(), nullptr, Derived("storage").data(),
                     nonce.data());
  EVP_DecryptUpdate(cipher.context, nullptr, &size, public_area.data(),
                    static_cast<int>(public_area.size()));
  EVP_DecryptUpdate(cipher.context, secret.data(), &size, rest.data(),
                    static_cast<int>(rest.size()));
  EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_GCM_SET_TAG, kTag, tag.data());
  Require(EVP_DecryptFinal_ex(cipher.context, secret.data() + size, &size) == 1, kTpmIntegrity);
  return secret;
}

Bytes StorageRootArea() {
  Bytes area;
  Put(area, 0x0001000B00030472, 8);  // RSA, SHA-256, the attributes of a storage key
  Put(area, 0, 2);                   // authPolicy
  Put(area, 0x0006008000430010, 8);  // AES-128-CFB, no scheme
  Put(area, 2048, 2);
  Put(area, 0, 4);
  Bytes modulus;  // nobody ever uses the key: only its identity matters here
  for (char part = '0'; part < '8'; ++part) {
    const char label[] = {'r', 'o', 'o', 't', part, 0};
    modulus = Join({modulus, Derived(label)});
  }
  modulus[0] |= 0x80;
  PutSized(area, modulus);
  return area;
}

Pkey EndorsementKey(bool rsa) {
  const std::wstring path = Folder() + (rsa ? L"\\ek-rsa" : L"\\ek-ec");
  Bytes der;
  if (ReadFile(path, der)) {
    const uint8_t* at = der.data();
    return Pkey(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  }
  Pkey key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  uint8_t* encoded = nullptr;
  const int size = i2d_PrivateKey(key.get(), &encoded);
  WriteFile(path, Bytes(encoded, encoded + size));
  OPENSSL_free(encoded);
  return key;
}

namespace {

// KDFa (Part 1, section 11.4.10.2) with SHA-256, up to one block.
Bytes Kdfa(const Bytes& key, const std::string& label, const Bytes& context, uint32_t bits) {
  Bytes data;
  Put(data, 1, 4);
  data.insert(data.end(), label.begin(), label.end());
  data.push_back(0);
  data = Join({data, context});
  Put(data, bits, 4);
  Bytes derived = Hmac(key, data);
  derived.resize(bits / 8);
  return derived;
}

Bytes SeedOf(const Bytes& encrypted) {
  const Pkey ek = EndorsementKey(true);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(ek.get(), nullptr);
  EVP_PKEY_decrypt_init(context);
  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING);
  EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256());
  constexpr char kLabel[] = "IDENTITY";
  void* label = OPENSSL_memdup(kLabel, sizeof kLabel);
  EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, sizeof kLabel);
  Bytes seed(256);
  size_t size = seed.size();
  const bool ok =
      EVP_PKEY_decrypt(context, seed.data(), &size, encrypted.data(), encrypted.size()) == 1;
  EVP_PKEY_CTX_free(context);
  Require(ok, kTpmValue);
  seed.resize(size);
  return seed;
}

}  // namespace

Bytes Activate(const Bytes& name, const Bytes& credential) {
  Cursor cursor{credential};
  const Bytes id_object = cursor.Sized(), encrypted = cursor.Sized();
  Require(cursor.Rest().empty(), kInvalidParameter);
  const Bytes seed = SeedOf(encrypted);
  Cursor id{id_object};
  const Bytes integrity = id.Sized(), identity = id.Rest();
  Require(integrity == Hmac(Kdfa(seed, "INTEGRITY", {}, 256), Join({identity, name})),
          kTpmIntegrity);
  Bytes plain(identity.size());
  Cipher cipher;
  int size = 0;
  const Bytes iv(16);
  EVP_DecryptInit_ex(cipher.context, EVP_aes_128_cfb128(), nullptr,
                     Kdfa(seed, "STORAGE", name, 128).data(), iv.data());
  EVP_DecryptUpdate(cipher.context, plain.data(), &size, identity.data(),
                    static_cast<int>(identity.size()));
  Cursor inner{plain};
  return inner.Sized();
}

}  // namespace keyscope::ncrypt_double
