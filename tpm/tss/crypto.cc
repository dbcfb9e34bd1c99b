#include "tpm/tss/crypto.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <cstring>
#include <string>

#include "base/error.h"
#include "base/ossl.h"
#include "tpm/public_key.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

void Check(bool ok, const char* what) {
  if (!ok) throw Error(Fault::Internal, std::string(what) + ": " + ossl::TakeError());
}

// A label travels with its terminating NUL.
ByteView WithNul(const char* label) {
  return {reinterpret_cast<const uint8_t*>(label), std::strlen(label) + 1};
}

const char* CipherFor(size_t key_size) {
  switch (key_size) {
    case 16:
      return "AES-128-CFB";
    case 24:
      return "AES-192-CFB";
    case 32:
      return "AES-256-CFB";
    default:
      throw Error(Fault::Unsupported, "the storage root's symmetric key has an unusual size");
  }
}

// KDFe (section 11.4.10.3) for at most one digest of key, which is all that is needed.
SecretBytes Kdfe(Hash hash, ByteView z, const char* label, ByteView party_u, ByteView party_v) {
  return SecretBytes(Digest(hash, {BigEndian32(1), z, WithNul(label), party_u, party_v}));
}

SharedSecret SecretForRsa(const TPMT_PUBLIC& storage_key, Hash hash, const char* label) {
  SharedSecret made{SecretBytes(ossl::Random(DigestSize(hash))), {}};
  const ossl::Pkey key = ToPkey(PublicKeyOf(storage_key));
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), key.get(), nullptr));
  const ByteView nul_label = WithNul(label);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE,
                                       const_cast<char*>(OSSL_PKEY_RSA_PAD_MODE_OAEP), 0),
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST,
                                       const_cast<char*>(Name(hash)), 0),
      OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                        const_cast<uint8_t*>(nul_label.data()), nul_label.size()),
      OSSL_PARAM_construct_end()};
  size_t size = sizeof made.encrypted.secret;
  Check(context != nullptr && EVP_PKEY_encrypt_init_ex(context.get(), params) == 1 &&
            EVP_PKEY_encrypt(context.get(), made.encrypted.secret, &size, made.secret.view().data(),
                             made.secret.size()) == 1,
        "RSA-OAEP to the storage root failed");
  made.encrypted.size = static_cast<UINT16>(size);
  return made;
}

SharedSecret SecretForEcc(const TPMT_PUBLIC& storage_key, Hash hash, const char* label) {
  const EcPublic peer = std::get<EcPublic>(PublicKeyOf(storage_key));
  const ossl::Pkey ephemeral = GenerateEc(peer.curve);
  const EcPublic own = PointOf(*ephemeral, peer.curve);
  const SecretBytes z = SharedX(*ephemeral, *ToPkey(peer));

  SharedSecret made{Kdfe(hash, z.view(), label, own.x, peer.x), {}};
  const Bytes point =
      Marshal(TPMS_ECC_POINT{Tpm2b<TPM2B_ECC_PARAMETER>(own.x), Tpm2b<TPM2B_ECC_PARAMETER>(own.y)});
  made.encrypted.size = static_cast<UINT16>(point.size());
  std::copy(point.begin(), point.end(), made.encrypted.secret);
  return made;
}

}  // namespace

Bytes Digest(Hash hash, std::initializer_list<ByteView> parts) {
  const ossl::MdCtx context(EVP_MD_CTX_new());
  Check(EVP_DigestInit_ex2(context.get(), ossl::Digest(Name(hash)), nullptr) == 1, "digest");
  for (ByteView part : parts)
    Check(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1, "digest");
  Bytes digest(DigestSize(hash));
  Check(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1, "digest");
  return digest;
}

Bytes Hmac(Hash hash, ByteView key, std::initializer_list<ByteView> parts) {
  const ossl::MacCtx context(EVP_MAC_CTX_new(ossl::Mac("HMAC")));
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(Name(hash)), 0),
      OSSL_PARAM_construct_end()};
  // An empty key still needs a pointer, or OpenSSL takes it for "the key of before".
  const uint8_t none = 0;
  Check(EVP_MAC_init(context.get(), key.empty() ? &none : key.data(), key.size(), params) == 1,
        "HMAC");
  for (ByteView part : parts)
    Check(EVP_MAC_update(context.get(), part.data(), part.size()) == 1, "HMAC");
  Bytes mac(DigestSize(hash));
  size_t size = 0;
  Check(EVP_MAC_final(context.get(), mac.data(), &size, mac.size()) == 1, "HMAC");
  return mac;
}

SecretBytes Kdfa(Hash hash, ByteView key, const char* label, ByteView context_u, ByteView context_v,
                 size_t size) {
  SecretBytes derived(size);
  const Bytes bits = BigEndian32(static_cast<uint32_t>(size * 8));
  uint32_t counter = 1;
  for (size_t done = 0; done < size; ++counter) {
    const SecretBytes block(
        Hmac(hash, key, {BigEndian32(counter), WithNul(label), context_u, context_v, bits}));
    const size_t take = std::min(block.size(), size - done);
    std::copy_n(block.view().begin(), take, derived.data() + done);
    done += take;
  }
  return derived;
}

void AesCfb(Direction direction, ByteView key, ByteView iv, std::span<uint8_t> data) {
  const ossl::CipherCtx context(EVP_CIPHER_CTX_new());
  int size = 0;
  Check(EVP_CipherInit_ex2(context.get(), ossl::Cipher(CipherFor(key.size())), key.data(),
                           iv.data(), direction == Direction::Encrypt ? 1 : 0, nullptr) == 1 &&
            EVP_CipherUpdate(context.get(), data.data(), &size, data.data(),
                             static_cast<int>(data.size())) == 1,
        "AES-CFB");
}

SharedSecret NewSecretFor(const TPMT_PUBLIC& storage_key, const char* label) {
  const auto hash = HashOf(storage_key.nameAlg);
  if (!hash) throw Error(Fault::Corrupt, "the storage root has an unknown name algorithm");
  return storage_key.type == TPM2_ALG_RSA ? SecretForRsa(storage_key, *hash, label)
                                          : SecretForEcc(storage_key, *hash, label);
}

}  // namespace keyscope::tpm::tss
