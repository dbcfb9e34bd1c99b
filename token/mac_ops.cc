// Message authentication in host memory: HMAC (mechanisms document, sections 2.20 and following)
// and AES-CMAC (section 2.13), whole or cut to a given length.
#include "token/crypto/mac.h"
#include "token/parameters.h"
#include "token/schemes.h"

namespace keyscope::token {
namespace {

class MacOperation final : public Operation {
 public:
  MacOperation(crypto::Mac mac, size_t size) : mac_(std::move(mac)), size_(size) {}
  void Feed(ByteView part) override { mac_.Update(part); }
  SecretBytes Finish() override { return SecretBytes(mac_.Final().view().first(size_)); }
  void Check(ByteView given) override {
    if (given.size() != size_)
      throw Error(Rv{CKR_SIGNATURE_LEN_RANGE}, "an authentication code of the wrong size");
    if (!ConstantTimeEqual(Finish().view(), given))
      throw Error(Rv{CKR_SIGNATURE_INVALID}, "the authentication code does not match");
  }
  size_t FinishBound() const override { return size_; }

 private:
  crypto::Mac mac_;
  size_t size_;
};

// A key made for one HMAC is not used with another.
void CheckHmacKey(const Materials& materials) {
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
  const CK_KEY_TYPE type = materials.object->attributes.UlongOr(CKA_KEY_TYPE);
  for (const Row& row : kRows)
    if (row.type == type && row.hash != materials.rule.hash)
      throw Error(Rv{CKR_KEY_TYPE_INCONSISTENT}, "the key is for HMAC with another hash");
}

crypto::Mac Hmac(const Materials& materials) {
  CheckHmacKey(materials);
  return crypto::Mac::Hmac(materials.rule.hash, materials.key->auth.view());
}

crypto::Mac Cmac(const Materials& materials) {
  auto mac = crypto::Mac::AesCmac(materials.key->auth.view());
  if (!mac) throw Error(Fault::Corrupt, "the stored value is no AES key; delete the key");
  return std::move(*mac);
}

template <crypto::Mac (*Start)(const Materials&)>
std::unique_ptr<Operation> Whole(const Materials& materials) {
  NoParameters(materials.mechanism);
  crypto::Mac mac = Start(materials);
  const size_t size = mac.size();
  return std::make_unique<MacOperation>(std::move(mac), size);
}

template <crypto::Mac (*Start)(const Materials&)>
std::unique_ptr<Operation> Cut(const Materials& materials) {
  crypto::Mac mac = Start(materials);
  const size_t size = MacSizeOf(materials.mechanism, mac.size());
  return std::make_unique<MacOperation>(std::move(mac), size);
}

size_t GenericSize(const AttributeSet& attributes) {
  const CK_ULONG size = attributes.UlongOr(CKA_VALUE_LEN);
  if (size == 0 || size > kLargestGenericSecret)
    throw Error(Rv{CKR_KEY_SIZE_RANGE}, "CKA_VALUE_LEN is zero or too long for a generic secret");
  return size;
}

}  // namespace

constexpr Scheme kGenericKey{.generate = GenericSize};
constexpr Scheme kHmac{.sign = Whole<Hmac>, .verify = Whole<Hmac>};
constexpr Scheme kHmacGeneral{.sign = Cut<Hmac>, .verify = Cut<Hmac>};
constexpr Scheme kAesCmac{.sign = Whole<Cmac>, .verify = Whole<Cmac>};
constexpr Scheme kAesCmacGeneral{.sign = Cut<Cmac>, .verify = Cut<Cmac>};

}  // namespace keyscope::token
