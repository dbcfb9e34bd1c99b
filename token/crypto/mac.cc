#include "token/crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <string>

#include "token/crypto/check.h"
#include "token/crypto/cipher.h"
#include "token/crypto/hash.h"

namespace keyscope::crypto {

Mac::Mac(const char* name, const char* parameter, const char* value, ByteView key)
    : context_(EVP_MAC_CTX_new(ossl::Mac(name))) {
  static constexpr uint8_t kEmpty[1] = {};  // a null key would mean the one set before
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(parameter, const_cast<char*>(value), 0),
      OSSL_PARAM_construct_end()};
  Check(context_ != nullptr && EVP_MAC_init(context_.get(), key.empty() ? kEmpty : key.data(),
                                            key.size(), params) == 1,
        "EVP_MAC_init");
}

Mac Mac::Hmac(tpm::Hash hash, ByteView key) {
  return {"HMAC", OSSL_MAC_PARAM_DIGEST, Info(hash).ossl_name, key};
}

std::optional<Mac> Mac::AesCmac(ByteView key) {
  if (!IsAesKeySize(key.size())) return std::nullopt;
  const std::string cipher = "AES-" + std::to_string(key.size() * 8) + "-CBC";
  return Mac("CMAC", OSSL_MAC_PARAM_CIPHER, cipher.c_str(), key);
}

void Mac::Update(ByteView data) {
  Check(EVP_MAC_update(context_.get(), data.data(), data.size()) == 1, "EVP_MAC_update");
}

SecretBytes Mac::Final() {
  SecretBytes code(size());
  size_t written = 0;
  Check(EVP_MAC_final(context_.get(), code.data(), &written, code.size()) == 1, "EVP_MAC_final");
  return code;
}

SecretBytes Hmac(tpm::Hash hash, ByteView key, std::initializer_list<ByteView> parts) {
  Mac mac = Mac::Hmac(hash, key);
  for (ByteView part : parts) mac.Update(part);
  return mac.Final();
}

}  // namespace keyscope::crypto
