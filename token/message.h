// Message-based encryption of PKCS#11 3.0 (sections 5.9 and 5.12): many messages under one key,
// each with parameters of its own. AES-GCM is the mechanism that has it.
#pragma once

#include <memory>
#include <optional>

#include "token/crypto/cipher.h"
#include "token/io.h"

namespace keyscope::token {

class MessageCipher {
 public:
  MessageCipher(crypto::Direction direction, std::shared_ptr<crypto::Aes> key)
      : direction_(direction), key_(std::move(key)) {}

  // A CK_GCM_MESSAGE_PARAMS, copied; the caller's IV and tag buffers are read and written through
  // it. CKR_MECHANISM_PARAM_INVALID.
  struct Parameters {
    explicit Parameters(Input given);
    CK_GCM_MESSAGE_PARAMS gcm;
    size_t tag_size() const { return gcm.ulTagBits / 8; }
  };

  // One whole message. Encryption writes the tag (and the IV, if it is to be generated) to the
  // caller's parameters; decryption that fails its tag is CKR_ENCRYPTED_DATA_INVALID.
  // CKR_BUFFER_TOO_SMALL: nothing was done.
  CK_RV Whole(const Parameters& parameters, ByteView aad, ByteView data, Output out);
  // The same in parts. Decryption gives its plaintext with the last part, after the tag was
  // checked. CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED.
  void Start(const Parameters& parameters, ByteView aad);
  CK_RV Next(const Parameters& parameters, ByteView part, Output out, bool last);

 private:
  crypto::Cipher NewCipher(const Parameters& parameters, ByteView aad, ByteView iv) const;
  void SetIv(const Parameters& parameters);
  Bytes NewIv(const CK_GCM_MESSAGE_PARAMS& gcm);
  SecretBytes Finish(crypto::Cipher& cipher, const Parameters& parameters) const;

  const crypto::Direction direction_;
  const std::shared_ptr<crypto::Aes> key_;
  std::optional<crypto::Cipher> current_;
  size_t tag_size_ = 0;     // of the message in parts that is under way
  Bytes counter_start_;     // for CKG_GENERATE_COUNTER, once it was asked for
  Bytes base_;              // the caller's IV, for CKG_GENERATE_COUNTER_XOR
  uint64_t generated_ = 0;  // IVs that were counted
};

}  // namespace keyscope::token
