// AES-GCM (NIST SP 800-38D) with a key that may be anywhere.
#pragma once

#include <openssl/modes.h>

#include "base/ossl.h"
#include "token/crypto/block_function.h"

namespace keyscope::crypto {

class Gcm {
 public:
  Gcm(Aes& aes, ByteView iv, ByteView aad);

  SecretBytes Run(Direction direction, ByteView data);
  SecretBytes Tag(size_t size);  // once, at the end

 private:
  BlockFunction function_;
  std::unique_ptr<GCM128_CONTEXT, ossl::Deleter<CRYPTO_gcm128_release>> context_;
};

}  // namespace keyscope::crypto
