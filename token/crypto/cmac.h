// AES-CMAC (NIST SP 800-38B) with a key that may be anywhere.
#pragma once

#include "token/crypto/aes.h"
#include "token/crypto/mac.h"

namespace keyscope::crypto {

class Cmac final : public Authenticator {
 public:
  explicit Cmac(std::shared_ptr<Aes> aes) : aes_(std::move(aes)), state_(kAesBlock) {}
  size_t size() const override { return kAesBlock; }
  void Update(ByteView data) override;
  SecretBytes Final() override;

 private:
  const std::shared_ptr<Aes> aes_;
  Bytes state_;       // the last block of the CBC encryption so far
  SecretBytes last_;  // up to a block: which one is the last is known at the end only
};

}  // namespace keyscope::crypto
