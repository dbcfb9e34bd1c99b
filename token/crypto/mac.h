// Message authentication codes: HMAC (FIPS 198-1). AES-CMAC is in cmac.h.
#pragma once

#include <initializer_list>

#include "base/ossl.h"
#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::crypto {

// A code of a message that comes in parts.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual size_t size() const = 0;  // of the code, in bytes
  virtual void Update(ByteView data) = 0;
  virtual SecretBytes Final() = 0;  // once
};

// HMAC with a key of any length in host memory.
class HostHmac final : public Authenticator {
 public:
  HostHmac(tpm::Hash hash, ByteView key);

  size_t size() const override { return EVP_MAC_CTX_get_mac_size(context_.get()); }
  void Update(ByteView data) override;
  SecretBytes Final() override;

 private:
  ossl::MacCtx context_;
};

SecretBytes Hmac(tpm::Hash hash, ByteView key, std::initializer_list<ByteView> parts);

}  // namespace keyscope::crypto
