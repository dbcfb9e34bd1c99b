#include "token/crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "token/crypto/check.h"
#include "token/crypto/hash.h"

namespace keyscope::crypto {

HostHmac::HostHmac(tpm::Hash hash, ByteView key) : context_(EVP_MAC_CTX_new(ossl::Mac("HMAC"))) {
  static constexpr uint8_t kEmpty[1] = {};  // a null key would mean the one set before
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                       const_cast<char*>(Info(hash).ossl_name()), 0),
      OSSL_PARAM_construct_end()};
  Check(context_ != nullptr && EVP_MAC_init(context_.get(), key.empty() ? kEmpty : key.data(),
                                            key.size(), params) == 1,
        "EVP_MAC_init");
}

void HostHmac::Update(ByteView data) {
  Check(EVP_MAC_update(context_.get(), data.data(), data.size()) == 1, "EVP_MAC_update");
}

SecretBytes HostHmac::Final() {
  SecretBytes code(size());
  size_t written = 0;
  Check(EVP_MAC_final(context_.get(), code.data(), &written, code.size()) == 1, "EVP_MAC_final");
  return code;
}

SecretBytes Hmac(tpm::Hash hash, ByteView key, std::initializer_list<ByteView> parts) {
  HostHmac mac(hash, key);
  for (ByteView part : parts) mac.Update(part);
  return mac.Final();
}

}  // namespace keyscope::crypto
