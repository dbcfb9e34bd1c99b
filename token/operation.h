// Operation: one active cryptographic operation of a session, whatever the mechanism.
//
// A session calls either Once, or Feed/Update any number of times and then Finish or Check. Results
// are bounded before they are made, so that a caller's short buffer costs no TPM command.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/secret.h"
#include "token/crypto/hash.h"
#include "token/io.h"

namespace keyscope::token {

class Operation {
 public:
  virtual ~Operation() = default;

  // A part of a message to digest, sign or verify.
  virtual void Feed(ByteView part);
  // A part to encrypt or decrypt.
  virtual SecretBytes Update(ByteView part);
  // What is left: the digest, the signature, the last block.
  virtual SecretBytes Finish();
  // The whole at once. When bounds are not exact it can be called again after a short buffer.
  virtual SecretBytes Once(ByteView data);
  // Verification: CKR_SIGNATURE_LEN_RANGE, CKR_SIGNATURE_INVALID.
  virtual void Check(ByteView signature);

  // Upper bounds of the results, in bytes.
  virtual size_t UpdateBound(size_t part) const;
  virtual size_t FinishBound() const = 0;
  virtual size_t OnceBound(size_t data) const;
  // Whether a buffer shorter than the bound is refused before the result is made.
  virtual bool exact() const { return true; }
};

// The message of an operation that needs all of it: its digest as it comes in, or the bytes
// themselves.
class Message {
 public:
  // Hash::None collects at most `limit` bytes; more throws `too_long`.
  Message(tpm::Hash hash, size_t limit, CK_RV too_long);
  void Add(ByteView part);
  Bytes Take();
  size_t size() const { return size_; }  // of the bytes collected

 private:
  std::optional<crypto::Digester> digester_;
  SecretBytes bytes_;  // `size_` of them are used
  size_t size_ = 0;
  size_t limit_;
  CK_RV too_long_;
};

// The longest message that a mechanism without a hash takes, before it looks at it.
inline constexpr size_t kLongestMessage = size_t{64} << 10;

class DigestOperation final : public Operation {
 public:
  explicit DigestOperation(tpm::Hash hash) : size_(crypto::Info(hash).size()), digester_(hash) {}
  void Feed(ByteView part) override { digester_.Update(part); }
  SecretBytes Finish() override { return digester_.Final(); }
  size_t FinishBound() const override { return size_; }

 private:
  size_t size_;
  crypto::Digester digester_;
};

class SignOperation final : public Operation {
 public:
  using Sign = std::function<Bytes(ByteView message)>;
  SignOperation(tpm::Hash hash, size_t signature_size, Sign sign)
      : message_(hash, kLongestMessage, CKR_DATA_LEN_RANGE),
        size_(signature_size),
        sign_(std::move(sign)) {}
  void Feed(ByteView part) override { message_.Add(part); }
  SecretBytes Finish() override { return SecretBytes(sign_(message_.Take())); }
  size_t FinishBound() const override { return size_; }

 private:
  Message message_;
  size_t size_;
  Sign sign_;
};

class VerifyOperation final : public Operation {
 public:
  using Verify = std::function<bool(ByteView message, ByteView signature)>;
  // Signatures have `signature_size` bytes, or so many less.
  VerifyOperation(tpm::Hash hash, size_t signature_size, Verify verify, size_t less = 0)
      : message_(hash, kLongestMessage, CKR_DATA_LEN_RANGE),
        size_(signature_size),
        less_(less),
        verify_(std::move(verify)) {}
  void Feed(ByteView part) override { message_.Add(part); }
  void Check(ByteView signature) override;
  size_t FinishBound() const override { return 0; }

 private:
  Message message_;
  size_t size_, less_;
  Verify verify_;
};

// Encryption, decryption or recovery of a whole message, which may come in parts.
class TransformOperation final : public Operation {
 public:
  using Transform = std::function<SecretBytes(ByteView message)>;
  enum class Size : uint8_t {
    Exactly,       // the result has just `bound` bytes
    AtMost,        // ... or fewer
    AtMostLonger,  // it is at most `bound` bytes longer than the message
  };
  TransformOperation(Size size, size_t bound, CK_RV too_long, Transform transform)
      : message_(tpm::Hash::None, kLongestMessage, too_long),
        size_(size),
        bound_(bound),
        transform_(std::move(transform)) {}
  SecretBytes Update(ByteView part) override;
  SecretBytes Finish() override;
  SecretBytes Once(ByteView data) override { return transform_(data); }
  size_t UpdateBound(size_t) const override { return 0; }
  size_t FinishBound() const override { return OnceBound(message_.size()); }
  size_t OnceBound(size_t data) const override {
    return size_ == Size::AtMostLonger ? data + bound_ : bound_;
  }
  bool exact() const override { return size_ == Size::Exactly; }

 private:
  Message message_;
  Size size_;
  size_t bound_;
  Transform transform_;
};

}  // namespace keyscope::token
