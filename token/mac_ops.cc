// Message authentication: HMAC (mechanisms document, sections 2.20 and following) and AES-CMAC
// (section 2.13), whole or cut to a given length, with keys in the TPM or in host memory.
#include "token/crypto/cmac.h"
#include "token/parameters.h"
#include "token/refuse.h"
#include "token/schemes.h"
#include "token/secret_key.h"

namespace keyscope::token {
namespace {

class MacOperation final : public Operation {
 public:
  MacOperation(std::unique_ptr<crypto::Authenticator> mac, size_t size)
      : mac_(std::move(mac)), size_(size) {}
  void Feed(ByteView part) override { mac_->Update(part); }
  SecretBytes Finish() override { return SecretBytes(mac_->Final().view().first(size_)); }
  void Check(ByteView given) override {
    if (given.size() != size_)
      Refuse(CKR_SIGNATURE_LEN_RANGE, "an authentication code of the wrong size");
    if (!ConstantTimeEqual(Finish().view(), given))
      Refuse(CKR_SIGNATURE_INVALID, "the authentication code does not match");
  }
  size_t FinishBound() const override { return size_; }

 private:
  const std::unique_ptr<crypto::Authenticator> mac_;
  const size_t size_;
};

using Start = std::unique_ptr<crypto::Authenticator> (*)(const Materials&);

std::unique_ptr<crypto::Authenticator> Hmac(const Materials& materials) {
  return HmacOf(materials, materials.rule.hash);
}

std::unique_ptr<crypto::Authenticator> Cmac(const Materials& materials) {
  return std::make_unique<crypto::Cmac>(AesOf(materials));
}

template <Start start>
std::unique_ptr<Operation> Whole(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto mac = start(materials);
  const size_t size = mac->size();
  return std::make_unique<MacOperation>(std::move(mac), size);
}

template <Start start>
std::unique_ptr<Operation> Cut(const Materials& materials) {
  auto mac = start(materials);
  const size_t size = MacSizeOf(materials.mechanism, mac->size());
  return std::make_unique<MacOperation>(std::move(mac), size);
}

size_t GenericSize(const AttributeSet& attributes) {
  const CK_ULONG size = attributes.UlongOr(CKA_VALUE_LEN);
  if (size == 0 || size > kLargestGenericSecret)
    Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN is zero or too long for a generic secret");
  return size;
}

}  // namespace

constexpr Scheme kGenericKey{.generate = GenericSize};
constexpr Scheme kHmac{.sign = Whole<Hmac>, .verify = Whole<Hmac>};
constexpr Scheme kHmacGeneral{.sign = Cut<Hmac>, .verify = Cut<Hmac>};
constexpr Scheme kAesCmac{.sign = Whole<Cmac>, .verify = Whole<Cmac>};
constexpr Scheme kAesCmacGeneral{.sign = Cut<Cmac>, .verify = Cut<Cmac>};

}  // namespace keyscope::token
