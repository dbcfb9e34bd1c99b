// RSA (mechanisms document, section 2.1). The TPM signs a digest with its own scheme where it has
// the hash; all else is padded here, in RFC 8017's ways, around the TPM's raw operation: any
// DigestInfo, any salt, any pair of hash and mask generation function work on every TPM that has
// RSA decryption with the null scheme. A device that pads by itself (Facts::padded_rsa) does what
// its own paddings are: salts as long as the hash, OAEP with one hash and no label, DigestInfos
// that it knows.
#include <algorithm>

#include "token/crypto/public_key.h"
#include "token/crypto/rsa.h"
#include "token/crypto/rsa_padding.h"
#include "token/parameters.h"
#include "token/public_of.h"
#include "token/refuse.h"
#include "token/schemes.h"

namespace keyscope::token {
namespace {

template <typename T>
T Or(std::optional<T> value, CK_RV rv, const char* why) {
  if (!value) Refuse(rv, why);
  return std::move(*value);
}

// A private key at work in the TPM.
class PrivateRsa {
 public:
  explicit PrivateRsa(const Materials& materials)
      : backend_(&materials.backend),
        root_(materials.root),
        facts_(materials.facts),
        key_(materials.key),
        public_(std::get<tpm::RsaPublic>(PublicOf(*materials.object))) {}

  bool pads_itself() const { return !facts_->raw_rsa; }
  size_t size() const { return public_.modulus.size(); }
  size_t bits() const { return crypto::ModulusBits(public_); }

  // `outside` is the code for a number that is not below the modulus.
  SecretBytes Raw(ByteView input, CK_RV outside) const {
    CheckBelowModulus(input, outside);
    if (pads_itself()) Refuse(CKR_DATA_INVALID, "this device signs only the hashes that it knows");
    return backend_->RawRsa(*root_, *key_, input);
  }
  Bytes SignRaw(ByteView encoded) const { return Copy(Raw(encoded, CKR_DATA_INVALID).view()); }
  Bytes SignDigest(tpm::Hash hash, ByteView digest) const {
    if (std::ranges::find(facts_->hashes, hash) != facts_->hashes.end())
      return backend_->Sign(*root_, *key_, tpm::SignScheme::RsaPkcs1, hash, digest);
    return SignFrame(Concat({crypto::Info(hash).digest_info_prefix, digest}));
  }
  Bytes SignPss(const PssParameters& pss, ByteView digest) const {
    if (pads_itself())
      return backend_->Sign(*root_, *key_, tpm::SignScheme::RsaPss, pss.hash, digest);
    return SignRaw(Or(crypto::PssEncode(pss.hash, pss.mgf, pss.salt, digest, bits()),
                      CKR_DATA_LEN_RANGE, "the salt and the digest do not fit the key"));
  }
  // Refuses what a device that pads by itself does not have.
  void CheckPadding(tpm::Hash hash, bool usual) const {
    if (!pads_itself()) return;
    if (!usual || std::ranges::find(facts_->hashes, hash) == facts_->hashes.end())
      Refuse(CKR_MECHANISM_PARAM_INVALID,
             "this device knows one hash for all, a salt of its length and no label");
  }
  SecretBytes DecryptPkcs1(ByteView ciphertext) const {
    if (pads_itself()) return DecryptPadded(tpm::RsaPadding::Pkcs1, tpm::Hash::None, ciphertext);
    const SecretBytes encoded = Raw(ciphertext, CKR_ENCRYPTED_DATA_INVALID);
    return Or(crypto::UnpadPkcs1(encoded.view()), CKR_ENCRYPTED_DATA_INVALID,
              "the padding is wrong");
  }
  SecretBytes DecryptOaep(const OaepParameters& oaep, ByteView ciphertext) const {
    if (pads_itself()) return DecryptPadded(tpm::RsaPadding::Oaep, oaep.hash, ciphertext);
    const SecretBytes encoded = Raw(ciphertext, CKR_ENCRYPTED_DATA_INVALID);
    return Or(crypto::UnpadOaep(encoded.view(), oaep.hash, oaep.mgf, oaep.label),
              CKR_ENCRYPTED_DATA_INVALID, "the padding is wrong");
  }
  // EMSA-PKCS1-v1_5 around any T.
  Bytes SignFrame(ByteView t) const {
    return SignRaw(
        Or(crypto::Pkcs1Type1(t, size()), CKR_DATA_LEN_RANGE, "the data do not fit the key"));
  }
  Bytes SignAny(ByteView t) const {
    auto info = crypto::ParseDigestInfo(t);
    return info ? SignDigest(info->first, info->second) : SignFrame(t);
  }

 private:
  void CheckBelowModulus(ByteView number, CK_RV outside) const {
    if (!std::ranges::lexicographical_compare(number, public_.modulus))
      Refuse(outside, "the number is not below the key's modulus");
  }
  SecretBytes DecryptPadded(tpm::RsaPadding padding, tpm::Hash hash, ByteView ciphertext) const {
    CheckBelowModulus(ciphertext, CKR_ENCRYPTED_DATA_INVALID);
    try {
      return backend_->DecryptRsa(*root_, *key_, padding, hash, ciphertext);
    } catch (const Error& error) {
      if (!error.Is(Fault::BadInput)) throw;
      Refuse(CKR_ENCRYPTED_DATA_INVALID, error.what());
    }
  }

  tpm::Backend* backend_;
  std::shared_ptr<const tpm::Root> root_;
  std::shared_ptr<const tpm::Facts> facts_;
  std::shared_ptr<const tpm::KeyRef> key_;
  tpm::RsaPublic public_;
};

void CheckCiphertext(ByteView ciphertext, size_t size) {
  if (ciphertext.size() != size)
    Refuse(CKR_ENCRYPTED_DATA_LEN_RANGE, "a ciphertext has the size of the key's modulus");
}

ByteView CheckDigest(tpm::Hash hash, ByteView digest) {
  if (digest.size() != crypto::Info(hash).size())
    Refuse(CKR_DATA_LEN_RANGE, "the data do not have the size of the hash");
  return digest;
}

std::unique_ptr<Operation> Decryption(size_t bound, TransformOperation::Transform transform) {
  return std::make_unique<TransformOperation>(TransformOperation::Size::AtMost, bound,
                                              CKR_ENCRYPTED_DATA_LEN_RANGE, std::move(transform));
}

std::unique_ptr<Operation> Encryption(size_t size, TransformOperation::Transform transform) {
  return std::make_unique<TransformOperation>(TransformOperation::Size::Exactly, size,
                                              CKR_DATA_LEN_RANGE, std::move(transform));
}

// CKM_RSA_PKCS: section 2.1.6.

std::unique_ptr<Operation> SignPkcs1(const Materials& materials) {
  NoParameters(materials.mechanism);
  PrivateRsa key(materials);
  return std::make_unique<SignOperation>(materials.rule.hash, key.size(),
                                         [key](ByteView data) { return key.SignAny(data); });
}

std::unique_ptr<Operation> SignRecoverPkcs1(const Materials& materials) {
  NoParameters(materials.mechanism);
  PrivateRsa key(materials);
  return Encryption(key.size(), [key](ByteView data) { return SecretBytes(key.SignAny(data)); });
}

std::unique_ptr<Operation> VerifyPkcs1(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  return std::make_unique<VerifyOperation>(
      materials.rule.hash, key->size(), [key](ByteView data, ByteView signature) {
        if (data.size() + crypto::kPkcs1Overhead > key->size())
          Refuse(CKR_DATA_LEN_RANGE, "the data do not fit the key");
        return key->VerifyPkcs1Raw(data, signature);
      });
}

std::unique_ptr<Operation> VerifyRecoverPkcs1(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  return Decryption(key->size(), [key](ByteView signature) {
    if (signature.size() != key->size())
      Refuse(CKR_SIGNATURE_LEN_RANGE, "a signature of the wrong size");
    return SecretBytes(
        Or(key->RecoverPkcs1(signature), CKR_SIGNATURE_INVALID, "the signature is not this key's"));
  });
}

std::unique_ptr<Operation> EncryptPkcs1(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  return Encryption(key->size(), [key](ByteView data) {
    return SecretBytes(
        Or(key->EncryptPkcs1(data), CKR_DATA_LEN_RANGE, "the data do not fit the key"));
  });
}

std::unique_ptr<Operation> DecryptPkcs1(const Materials& materials) {
  NoParameters(materials.mechanism);
  PrivateRsa key(materials);
  return Decryption(key.size(), [key](ByteView ciphertext) {
    CheckCiphertext(ciphertext, key.size());
    return key.DecryptPkcs1(ciphertext);
  });
}

// CKM_SHA*_RSA_PKCS: section 2.1.11. The data are the digest.

std::unique_ptr<Operation> SignHashed(const Materials& materials) {
  NoParameters(materials.mechanism);
  PrivateRsa key(materials);
  const tpm::Hash hash = materials.rule.hash;
  return std::make_unique<SignOperation>(
      hash, key.size(), [key, hash](ByteView digest) { return key.SignDigest(hash, digest); });
}

std::unique_ptr<Operation> VerifyHashed(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  const tpm::Hash hash = materials.rule.hash;
  return std::make_unique<VerifyOperation>(hash, key->size(),
                                           [key, hash](ByteView digest, ByteView signature) {
                                             return key->VerifyPkcs1(hash, digest, signature);
                                           });
}

// CKM_RSA_PKCS_PSS and its hashing forms: sections 2.1.10 and 2.1.12.

std::unique_ptr<Operation> SignPss(const Materials& materials) {
  PrivateRsa key(materials);
  const PssParameters pss = PssOf(materials.mechanism, materials.rule.hash, key.bits());
  key.CheckPadding(pss.hash, pss.mgf == pss.hash && pss.salt == crypto::Info(pss.hash).size());
  return std::make_unique<SignOperation>(
      materials.rule.hash, key.size(),
      [key, pss](ByteView digest) { return key.SignPss(pss, CheckDigest(pss.hash, digest)); });
}

std::unique_ptr<Operation> VerifyPss(const Materials& materials) {
  auto key = SoftwareKeyOf(*materials.object);
  const PssParameters pss = PssOf(materials.mechanism, materials.rule.hash, key->modulus_bits());
  return std::make_unique<VerifyOperation>(
      materials.rule.hash, key->size(), [key, pss](ByteView digest, ByteView signature) {
        return key->VerifyPss(pss.hash, pss.mgf, pss.salt, CheckDigest(pss.hash, digest),
                              signature);
      });
}

// CKM_RSA_PKCS_OAEP: section 2.1.8.

std::unique_ptr<Operation> EncryptOaep(const Materials& materials) {
  auto key = SoftwareKeyOf(*materials.object);
  return Encryption(key->size(), [key, oaep = OaepOf(materials.mechanism)](ByteView data) {
    return SecretBytes(Or(key->EncryptOaep(oaep.hash, oaep.mgf, oaep.label, data),
                          CKR_DATA_LEN_RANGE, "the data do not fit the key"));
  });
}

std::unique_ptr<Operation> DecryptOaep(const Materials& materials) {
  PrivateRsa key(materials);
  const OaepParameters oaep = OaepOf(materials.mechanism);
  key.CheckPadding(oaep.hash, oaep.mgf == oaep.hash && oaep.label.empty());
  return Decryption(key.size(), [key, oaep](ByteView ciphertext) {
    CheckCiphertext(ciphertext, key.size());
    return key.DecryptOaep(oaep, ciphertext);
  });
}

// CKM_RSA_X_509: section 2.1.9. Numbers; a shorter one stands for the same number with zeros before
// it.

Bytes Number(ByteView data, size_t size) {
  if (data.size() > size) Refuse(CKR_DATA_LEN_RANGE, "the data are longer than the key's modulus");
  return PadLeft(data, size);
}

std::unique_ptr<Operation> SignNumber(const Materials& materials) {
  NoParameters(materials.mechanism);
  PrivateRsa key(materials);
  return std::make_unique<SignOperation>(materials.rule.hash, key.size(), [key](ByteView data) {
    return key.SignRaw(Number(data, key.size()));
  });
}

std::unique_ptr<Operation> SignRecoverNumber(const Materials& materials) {
  NoParameters(materials.mechanism);
  PrivateRsa key(materials);
  return Encryption(key.size(), [key](ByteView data) {
    return SecretBytes(key.SignRaw(Number(data, key.size())));
  });
}

std::unique_ptr<Operation> VerifyNumber(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  return std::make_unique<VerifyOperation>(
      materials.rule.hash, key->size(), [key](ByteView data, ByteView signature) {
        const auto number = key->Raw(signature);
        return number && Equal(*number, Number(data, key->size()));
      });
}

std::unique_ptr<Operation> VerifyRecoverNumber(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  return Decryption(key->size(), [key](ByteView signature) {
    if (signature.size() != key->size())
      Refuse(CKR_SIGNATURE_LEN_RANGE, "a signature of the wrong size");
    return SecretBytes(Or(key->Raw(signature), CKR_SIGNATURE_INVALID, "not below the modulus"));
  });
}

std::unique_ptr<Operation> EncryptNumber(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  return Encryption(key->size(), [key](ByteView data) {
    return SecretBytes(Or(key->Raw(Number(data, key->size())), CKR_DATA_INVALID,
                          "the number is not below the key's modulus"));
  });
}

std::unique_ptr<Operation> DecryptNumber(const Materials& materials) {
  NoParameters(materials.mechanism);
  PrivateRsa key(materials);
  return Decryption(key.size(), [key](ByteView ciphertext) {
    CheckCiphertext(ciphertext, key.size());
    return key.Raw(ciphertext, CKR_ENCRYPTED_DATA_INVALID);
  });
}

// CKM_RSA_PKCS_KEY_PAIR_GEN: section 2.1.4.

tpm::KeySpec RsaPair(const AttributeSet& attributes, const tpm::Facts& facts) {
  const CK_ULONG bits = attributes.UlongOr(CKA_MODULUS_BITS);
  if (std::ranges::find(facts.rsa_bits, bits) == facts.rsa_bits.end())
    Refuse(CKR_KEY_SIZE_RANGE, "this TPM has no RSA keys of that size");
  tpm::RsaSpec spec{static_cast<unsigned>(bits), 65537};
  if (attributes.Has(CKA_PUBLIC_EXPONENT)) {
    const Bytes exponent = StripLeadingZeros(attributes.Get(CKA_PUBLIC_EXPONENT));
    if (!Equal(exponent, Bytes{1, 0, 1}))
      Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "TPM keys have the public exponent 65537");
  }
  return {KeyScope::User, spec};
}

}  // namespace

constexpr Scheme kRsaKeyPair{.generate_pair = RsaPair};
constexpr Scheme kRsaPkcs1{.encrypt = EncryptPkcs1,
                           .decrypt = DecryptPkcs1,
                           .sign = SignPkcs1,
                           .verify = VerifyPkcs1,
                           .sign_recover = SignRecoverPkcs1,
                           .verify_recover = VerifyRecoverPkcs1,
                           .wraps = true,
                           .needs_raw_rsa = true,
                           .or_padded_rsa = true};
constexpr Scheme kRsaPkcs1Signature{.sign = SignHashed, .verify = VerifyHashed};
constexpr Scheme kRsaPss{
    .sign = SignPss, .verify = VerifyPss, .needs_raw_rsa = true, .or_padded_rsa = true};
constexpr Scheme kRsaOaep{.encrypt = EncryptOaep,
                          .decrypt = DecryptOaep,
                          .wraps = true,
                          .needs_raw_rsa = true,
                          .or_padded_rsa = true};
constexpr Scheme kRsaRaw{.encrypt = EncryptNumber,
                         .decrypt = DecryptNumber,
                         .sign = SignNumber,
                         .verify = VerifyNumber,
                         .sign_recover = SignRecoverNumber,
                         .verify_recover = VerifyRecoverNumber,
                         .needs_raw_rsa = true};

}  // namespace keyscope::token
