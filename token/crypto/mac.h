// Message authentication codes: HMAC (FIPS 198-1) and AES-CMAC (NIST SP 800-38B).
#pragma once

#include <initializer_list>
#include <optional>

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

class Mac final : public Authenticator {
 public:
  static Mac Hmac(tpm::Hash hash, ByteView key);    // a key of any length
  static std::optional<Mac> AesCmac(ByteView key);  // nullopt: no AES key

  size_t size() const override { return EVP_MAC_CTX_get_mac_size(context_.get()); }
  void Update(ByteView data) override;
  SecretBytes Final() override;

 private:
  Mac(const char* name, const char* parameter, const char* value, ByteView key);

  ossl::MacCtx context_;
};

SecretBytes Hmac(tpm::Hash hash, ByteView key, std::initializer_list<ByteView> parts);

}  // namespace keyscope::crypto
