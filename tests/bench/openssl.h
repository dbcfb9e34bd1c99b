// What OpenSSL takes for the work that needs no TPM, called directly.
#pragma once

#include <openssl/evp.h>

#include <memory>

#include "base/bytes.h"

namespace keyscope::bench {

class OpenSsl {
 public:
  OpenSsl();  // throws std::runtime_error
  void Verify() const;
  void Digest(ByteView data) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD* hash) const { EVP_MD_free(hash); }
  };
  using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<EVP_MD, Free> sha256_;
  Bytes digest_, signature_;
};

}  // namespace keyscope::bench
