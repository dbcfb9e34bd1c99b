#include "token/crypto/gcm.h"

#include "token/crypto/check.h"

namespace keyscope::crypto {

Gcm::Gcm(Aes& aes, ByteView iv, ByteView aad)
    : function_(aes, Direction::Encrypt),
      context_(CRYPTO_gcm128_new(&function_, BlockFunction::Block)) {
  Check(context_ != nullptr, "CRYPTO_gcm128_new");
  CRYPTO_gcm128_setiv(context_.get(), iv.data(), iv.size());
  Check(CRYPTO_gcm128_aad(context_.get(), aad.data(), aad.size()) == 0, "CRYPTO_gcm128_aad");
  function_.Rethrow();
}

SecretBytes Gcm::Run(Direction direction, ByteView data) {
  SecretBytes done(data.size());
  const auto run =
      direction == Direction::Encrypt ? CRYPTO_gcm128_encrypt_ctr32 : CRYPTO_gcm128_decrypt_ctr32;
  Check(run(context_.get(), data.data(), done.data(), data.size(), BlockFunction::Counter) == 0,
        "CRYPTO_gcm128");
  function_.Rethrow();
  return done;
}

SecretBytes Gcm::Tag(size_t size) {
  SecretBytes tag(size);
  CRYPTO_gcm128_tag(context_.get(), tag.data(), size);
  return tag;
}

}  // namespace keyscope::crypto
