// AES (mechanisms document, sections 2.8 to 2.14), with keys in the TPM or in host memory.
#include "token/crypto/cipher.h"
#include "token/crypto/key_wrap.h"
#include "token/parameters.h"
#include "token/refuse.h"
#include "token/schemes.h"
#include "token/secret_key.h"

namespace keyscope::token {
namespace {

using crypto::CipherMode;
using crypto::CipherStatus;
using crypto::Direction;

class CipherOperation final : public Operation {
 public:
  CipherOperation(CipherMode mode, Direction direction, std::shared_ptr<crypto::Aes> key,
                  CipherParameters parameters)
      : mode_(mode),
        direction_(direction),
        key_(std::move(key)),
        parameters_(std::move(parameters)),
        cipher_(Start()) {}

  SecretBytes Update(ByteView part) override { return Taken(cipher_.Update(part)); }
  SecretBytes Finish() override { return Taken(cipher_.Final()); }
  SecretBytes Once(ByteView data) override {
    crypto::Cipher whole = Start();
    const SecretBytes body = Taken(whole.Update(data)), end = Taken(whole.Final());
    return SecretBytes(Concat({body.view(), end.view()}));
  }
  size_t UpdateBound(size_t part) const override { return cipher_.UpdateSize(part); }
  size_t FinishBound() const override { return cipher_.FinalSize(); }
  size_t OnceBound(size_t data) const override {
    return cipher_.UpdateSize(data) + cipher_.FinalSize(data);
  }
  bool exact() const override {
    return !(mode_ == CipherMode::CbcPad && direction_ == Direction::Decrypt);
  }

 private:
  crypto::Cipher Start() const {
    auto cipher = crypto::Cipher::Start(mode_, direction_, key_,
                                        {.iv = parameters_.iv,
                                         .counter_bits = parameters_.counter_bits,
                                         .aad = parameters_.aad,
                                         .tag_size = parameters_.tag_size});
    if (!cipher) Refuse(CKR_MECHANISM_PARAM_INVALID, "the cipher does not take these parameters");
    return std::move(*cipher);
  }
  SecretBytes Taken(crypto::CipherResult result) const {
    const bool encrypts = direction_ == Direction::Encrypt;
    if (result.status == CipherStatus::DataLenRange)
      Refuse(encrypts ? CKR_DATA_LEN_RANGE : CKR_ENCRYPTED_DATA_LEN_RANGE,
             "the mode does not take data of that length");
    if (result.status == CipherStatus::Invalid)
      Refuse(CKR_ENCRYPTED_DATA_INVALID, "the padding or the tag is wrong");
    return std::move(result.bytes);
  }

  const CipherMode mode_;
  const Direction direction_;
  const std::shared_ptr<crypto::Aes> key_;
  const CipherParameters parameters_;
  crypto::Cipher cipher_;
};

CipherParameters ParametersOf(CipherMode mode, const CK_MECHANISM& mechanism) {
  switch (mode) {
    case CipherMode::Ecb:
      NoParameters(mechanism);
      return {};
    case CipherMode::Ctr:
      return CtrOf(mechanism);
    case CipherMode::Gcm:
      return GcmOf(mechanism);
    case CipherMode::Cbc:
    case CipherMode::CbcPad:
    case CipherMode::Cfb128:
    case CipherMode::Ofb:
      return IvOf(mechanism, crypto::kAesBlock);
  }
  return {};
}

template <CipherMode mode, Direction direction>
std::unique_ptr<Operation> Make(const Materials& materials) {
  return std::make_unique<CipherOperation>(mode, direction, AesOf(materials),
                                           ParametersOf(mode, materials.mechanism));
}

template <CipherMode mode>
constexpr Scheme CipherScheme(bool wraps = false, bool messages = false) {
  return {.encrypt = Make<mode, Direction::Encrypt>,
          .decrypt = Make<mode, Direction::Decrypt>,
          .messages = messages,
          .wraps = wraps};
}

// Key wrap adds a block of eight bytes, and up to seven of padding.
constexpr size_t kWrapOverhead = 15;

template <crypto::WrapKind kind>
std::unique_ptr<Operation> Wrap(const Materials& materials) {
  return std::make_unique<TransformOperation>(
      TransformOperation::Size::AtMostLonger, kWrapOverhead, CKR_DATA_LEN_RANGE,
      [key = AesOf(materials),
       iv = OptionalIvOf(materials.mechanism, crypto::WrapIvSize(kind))](ByteView data) {
        auto wrapped = crypto::WrapAes(kind, *key, iv, data);
        if (!wrapped) Refuse(CKR_DATA_LEN_RANGE, "AES key wrap does not take data of that length");
        return SecretBytes(std::move(*wrapped));
      });
}

template <crypto::WrapKind kind>
std::unique_ptr<Operation> Unwrap(const Materials& materials) {
  return std::make_unique<TransformOperation>(
      TransformOperation::Size::AtMostLonger, 0, CKR_ENCRYPTED_DATA_LEN_RANGE,
      [key = AesOf(materials),
       iv = OptionalIvOf(materials.mechanism, crypto::WrapIvSize(kind))](ByteView wrapped) {
        constexpr size_t kShortest = kind == crypto::WrapKind::Plain ? 24 : 16;
        if (wrapped.size() < kShortest || wrapped.size() % 8 != 0)
          Refuse(CKR_ENCRYPTED_DATA_LEN_RANGE, "wrapped data are blocks of 8 bytes, more than one");
        auto data = crypto::UnwrapAes(kind, *key, iv, wrapped);
        if (!data) Refuse(CKR_ENCRYPTED_DATA_INVALID, "the integrity check fails");
        return std::move(*data);
      });
}

size_t AesSize(const AttributeSet& attributes) {
  const CK_ULONG size = attributes.UlongOr(CKA_VALUE_LEN);
  if (!crypto::IsAesKeySize(size))
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE_LEN: an AES key has 16, 24 or 32 bytes");
  return size;
}

}  // namespace

constexpr Scheme kAesKey{.generate = AesSize};
constexpr Scheme kAesEcb = CipherScheme<CipherMode::Ecb>();
constexpr Scheme kAesCbc = CipherScheme<CipherMode::Cbc>();
constexpr Scheme kAesCbcPad = CipherScheme<CipherMode::CbcPad>(true);
constexpr Scheme kAesCtr = CipherScheme<CipherMode::Ctr>();
constexpr Scheme kAesCfb128 = CipherScheme<CipherMode::Cfb128>();
constexpr Scheme kAesOfb = CipherScheme<CipherMode::Ofb>();
constexpr Scheme kAesGcm = CipherScheme<CipherMode::Gcm>(true, true);
constexpr Scheme kAesKeyWrap{.encrypt = Wrap<crypto::WrapKind::Plain>,
                             .decrypt = Unwrap<crypto::WrapKind::Plain>,
                             .wraps = true};
constexpr Scheme kAesKeyWrapPadded{.encrypt = Wrap<crypto::WrapKind::Padded>,
                                   .decrypt = Unwrap<crypto::WrapKind::Padded>,
                                   .wraps = true};

}  // namespace keyscope::token
