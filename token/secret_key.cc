#include "token/secret_key.h"

#include <algorithm>

#include "token/crypto/cipher.h"
#include "token/refuse.h"

namespace keyscope::token {
namespace {

// A TPM takes seconds to minutes for that much.
constexpr size_t kLongestHmacMessage = size_t{16} << 20;

bool IsInTpm(const tpm::KeyRef& key) { return !key.blob.public_area.empty(); }

class AesInTpm final : public crypto::Aes {
 public:
  AesInTpm(tpm::Backend& backend, std::shared_ptr<const tpm::Root> root,
           std::shared_ptr<const tpm::KeyRef> key)
      : backend_(backend), root_(std::move(root)), key_(std::move(key)) {}
  SecretBytes Run(crypto::AesMode mode, crypto::Direction direction, Bytes& iv,
                  ByteView data) override {
    return backend_.RunAes(*root_, *key_, mode, direction, iv, data);
  }

 private:
  tpm::Backend& backend_;
  const std::shared_ptr<const tpm::Root> root_;
  const std::shared_ptr<const tpm::KeyRef> key_;
};

class HmacInTpm final : public crypto::Authenticator {
 public:
  HmacInTpm(const Materials& materials, tpm::Hash hash)
      : backend_(materials.backend),
        root_(materials.root),
        key_(materials.key),
        size_(tpm::DigestSize(hash)),
        message_(tpm::Hash::None, kLongestHmacMessage, CKR_DATA_LEN_RANGE) {}
  size_t size() const override { return size_; }
  void Update(ByteView data) override { message_.Add(data); }
  SecretBytes Final() override { return backend_.Hmac(*root_, *key_, message_.Take()); }

 private:
  tpm::Backend& backend_;
  const std::shared_ptr<const tpm::Root> root_;
  const std::shared_ptr<const tpm::KeyRef> key_;
  const size_t size_;
  Message message_;
};

}  // namespace

std::optional<tpm::Hash> HmacHashOf(CK_KEY_TYPE type) {
  struct Row {
    CK_KEY_TYPE type;
    tpm::Hash hash;
  };
  static constexpr Row kRows[] = {
      {CKK_SHA_1_HMAC, tpm::Hash::Sha1},        {CKK_SHA224_HMAC, tpm::Hash::Sha224},
      {CKK_SHA256_HMAC, tpm::Hash::Sha256},     {CKK_SHA384_HMAC, tpm::Hash::Sha384},
      {CKK_SHA512_HMAC, tpm::Hash::Sha512},     {CKK_SHA3_224_HMAC, tpm::Hash::Sha3_224},
      {CKK_SHA3_256_HMAC, tpm::Hash::Sha3_256}, {CKK_SHA3_384_HMAC, tpm::Hash::Sha3_384},
      {CKK_SHA3_512_HMAC, tpm::Hash::Sha3_512},
  };
  for (const Row& row : kRows)
    if (row.type == type) return row.hash;
  return std::nullopt;
}

std::optional<tpm::SecretSpec> TpmSpecFor(const Object& object, size_t size,
                                          const tpm::Facts& facts) {
  const AttributeSet& attributes = object.attributes;
  const bool closed = attributes.Bool(CKA_TOKEN) && attributes.Bool(CKA_SENSITIVE) &&
                      !attributes.Bool(CKA_EXTRACTABLE);
  if (!closed) return std::nullopt;
  tpm::SecretSpec spec;
  if (object.kind == kAes) {
    const auto bits = static_cast<unsigned>(size * 8);
    if (std::ranges::find(facts.aes_bits, bits) == facts.aes_bits.end()) return std::nullopt;
    spec.algorithm = tpm::AesSpec{bits};
    return spec;
  }
  const auto hash = HmacHashOf(attributes.UlongOr(CKA_KEY_TYPE));
  if (!facts.hmac || !hash || size > tpm::LongestHmacKey(*hash) ||
      std::ranges::find(facts.hashes, *hash) == facts.hashes.end())
    return std::nullopt;
  spec.algorithm = tpm::HmacSpec{*hash};
  return spec;
}

const SecretBytes& HostValue(const tpm::KeyRef& key) {
  if (IsInTpm(key))
    Refuse(CKR_KEY_TYPE_INCONSISTENT,
           "the key is in the TPM, which does not give its value to this mechanism");
  return key.auth;
}

std::shared_ptr<crypto::Aes> AesOf(tpm::Backend& backend, std::shared_ptr<const tpm::Root> root,
                                   std::shared_ptr<const tpm::KeyRef> key) {
  if (IsInTpm(*key)) return std::make_shared<AesInTpm>(backend, std::move(root), std::move(key));
  auto aes = crypto::HostAes(key->auth.view());
  if (aes == nullptr) throw Error(Fault::Corrupt, "the stored value is no AES key; delete the key");
  return aes;
}

std::shared_ptr<crypto::Aes> AesOf(const Materials& materials) {
  return AesOf(materials.backend, materials.root, materials.key);
}

std::unique_ptr<crypto::Authenticator> HmacOf(const Materials& materials, tpm::Hash hash) {
  const auto its_own = HmacHashOf(materials.object->attributes.UlongOr(CKA_KEY_TYPE));
  if (its_own && its_own != hash)
    Refuse(CKR_KEY_TYPE_INCONSISTENT, "the key is for HMAC with another hash");
  if (IsInTpm(*materials.key)) return std::make_unique<HmacInTpm>(materials, hash);
  return std::make_unique<crypto::HostHmac>(hash, materials.key->auth.view());
}

}  // namespace keyscope::token
