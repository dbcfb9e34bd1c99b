#include "tests/bench/openssl.h"

#include <openssl/ec.h>

#include "tests/bench/must.h"

namespace keyscope::bench {
OpenSsl::OpenSsl()
    : key_(EVP_EC_gen("P-256")),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      digest_(32, 0x5a),
      signature_(128) {
  Must(key_ != nullptr && sha256_ != nullptr, "EVP_EC_gen or EVP_MD_fetch");
  const Context context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  size_t size = signature_.size();
  Must(EVP_PKEY_sign_init(context.get()) == 1 &&
           EVP_PKEY_sign(context.get(), signature_.data(), &size, digest_.data(), digest_.size()) ==
               1,
       "EVP_PKEY_sign");
  signature_.resize(size);
}

void OpenSsl::Verify() const {
  const Context context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  Must(EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_verify(context.get(), signature_.data(), signature_.size(), digest_.data(),
                           digest_.size()) == 1,
       "EVP_PKEY_verify");
}

void OpenSsl::Digest(ByteView data) const {
  unsigned char digest[EVP_MAX_MD_SIZE];
  Must(EVP_Digest(data.data(), data.size(), digest, nullptr, sha256_.get(), nullptr) == 1,
       "EVP_Digest");
}

}  // namespace keyscope::bench
