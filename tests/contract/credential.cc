#include "tests/contract/credential.h"

#include <openssl/rsa.h>

#include <stdexcept>

#include "base/ossl.h"
#include "tests/fakes/public_key.h"

namespace keyscope::test {
namespace {

constexpr size_t kSeed = 32;
constexpr char kIdentity[] = "IDENTITY";  // with its zero byte, as a label

void Check(bool ok) {
  if (!ok) throw std::runtime_error("MakeCredential: " + ossl::TakeError());
}

Bytes Sized(ByteView bytes) {
  const auto size = static_cast<uint16_t>(bytes.size());
  return Concat({Bytes{static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)}, bytes});
}

Bytes Hmac(ByteView key, ByteView data) {
  Bytes mac(32);
  size_t size = 0;
  Check(EVP_Q_mac(ossl::Context(), "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                  data.data(), data.size(), mac.data(), mac.size(), &size) != nullptr);
  return mac;
}

// KDFa with SHA-256, of one block (section 11.4.10.2); the label with its zero byte.
Bytes Kdfa(ByteView key, std::string_view label, ByteView context, uint32_t bits) {
  Bytes derived =
      Hmac(key, Concat({BigEndian32(1), AsBytes(label), Bytes{0}, context, BigEndian32(bits)}));
  derived.resize(bits / 8);
  return derived;
}

// A seed and what the EK's owner gets of it (annexes B.10.3 and C.6.1).
struct Seed {
  Bytes value, encrypted;
};

Seed SeedFor(const tpm::RsaPublic& ek) {
  Seed seed{ossl::Random(kSeed), Bytes(ek.modulus.size())};
  const ossl::Pkey pkey = ToPkey(ek);
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), pkey.get(), nullptr));
  Check(EVP_PKEY_encrypt_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), ossl::Digest("SHA256")) == 1 &&
        EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), OPENSSL_memdup(kIdentity, sizeof kIdentity),
                                         sizeof kIdentity) == 1);
  size_t size = seed.encrypted.size();
  Check(EVP_PKEY_encrypt(context.get(), seed.encrypted.data(), &size, seed.value.data(),
                         seed.value.size()) == 1);
  return seed;
}

Seed SeedFor(const tpm::EcPublic& ek) {
  const ossl::Pkey own = GenerateEc(ek.curve);
  const tpm::EcPublic point = PointOf(*own, ek.curve);
  const SecretBytes shared = SharedX(*own, *ToPkey(ek));
  Bytes value(kSeed);  // KDFe: SHA-256 gives all of it at once
  const Bytes data = Concat({BigEndian32(1),
                             shared.view(),
                             {reinterpret_cast<const uint8_t*>(kIdentity), sizeof kIdentity},
                             point.x,
                             ek.x});
  Check(EVP_Digest(data.data(), data.size(), value.data(), nullptr, ossl::Digest("SHA256"),
                   nullptr) == 1);
  return {std::move(value), Concat({Sized(point.x), Sized(point.y)})};
}

Bytes EncryptCfb(ByteView key, ByteView data) {
  const ossl::CipherCtx context(EVP_CIPHER_CTX_new());
  Bytes made(data.size());
  const Bytes iv(16);
  int size = 0;
  Check(EVP_EncryptInit_ex2(context.get(), ossl::Cipher("AES-128-CFB"), key.data(), iv.data(),
                            nullptr) == 1 &&
        EVP_EncryptUpdate(context.get(), made.data(), &size, data.data(),
                          static_cast<int>(data.size())) == 1);
  return made;
}

}  // namespace

Credential MakeCredential(const tpm::Endorsement& ek, ByteView ak_name, ByteView secret) {
  const Seed seed = std::visit([](const auto& key) { return SeedFor(key); }, ek.key);
  const Bytes identity = EncryptCfb(Kdfa(seed.value, "STORAGE", ak_name, 128), Sized(secret));
  const Bytes integrity = Hmac(Kdfa(seed.value, "INTEGRITY", {}, 256), Concat({identity, ak_name}));
  return {Sized(Concat({Sized(integrity), identity})), Sized(seed.encrypted)};
}

}  // namespace keyscope::test
