// A public key at work in the host: verification and encryption never need the TPM.
#pragma once

#include <optional>

#include "base/ossl.h"
#include "tpm/types.h"

namespace keyscope::crypto {

// Immutable once made, so that threads may share one. On a key of the other type every operation
// throws Fault::Internal. A signature of the wrong length is a bad signature:
// CKR_SIGNATURE_LEN_RANGE is the caller's, who compares with signature_size().
class SoftwareKey {
 public:
  // Throws Fault::Corrupt when the numbers are no key.
  explicit SoftwareKey(const tpm::PublicKey& key);

  size_t size() const { return size_; }  // of the modulus or of the field, in bytes
  size_t signature_size() const { return group_ == nullptr ? size_ : 2 * size_; }
  size_t modulus_bits() const;

  // RSA (RFC 8017). The encoded message is compared as a whole: no lax reading of the DigestInfo.
  bool VerifyPkcs1(tpm::Hash hash, ByteView digest, ByteView signature) const;
  bool VerifyPkcs1Raw(ByteView data, ByteView signature) const;  // any T
  bool VerifyPss(tpm::Hash hash, tpm::Hash mgf, size_t salt_size, ByteView digest,
                 ByteView signature) const;
  std::optional<Bytes> RecoverPkcs1(ByteView signature) const;
  // nullopt: the message is too long for the key.
  std::optional<Bytes> EncryptPkcs1(ByteView message) const;
  std::optional<Bytes> EncryptOaep(tpm::Hash hash, tpm::Hash mgf, ByteView label,
                                   ByteView message) const;
  // The public operation itself on a number of at most size() bytes, to exactly size() bytes.
  // nullopt when it is not below the modulus.
  std::optional<Bytes> Raw(ByteView input) const;

  // ECDSA (FIPS 186-5, section 6.4.2) over a digest of 1 to 64 bytes, of which the leftmost bits
  // count that the curve can take.
  bool VerifyEcdsa(ByteView digest, ByteView r_and_s) const;

 private:
  using Montgomery = std::unique_ptr<BN_MONT_CTX, ossl::Deleter<BN_MONT_CTX_free>>;

  void Load(const tpm::RsaPublic& key);
  void Load(const tpm::EcPublic& key);
  // The result of Raw for a signature, which must have the full size.
  std::optional<Bytes> Opened(ByteView signature) const;

  size_t size_ = 0;
  ossl::Bn modulus_, exponent_;
  Montgomery montgomery_;
  const EC_GROUP* group_ = nullptr;
  ossl::Point point_;
};

}  // namespace keyscope::crypto
