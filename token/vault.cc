#include "token/vault.h"

#include "base/error.h"
#include "token/crypto/box.h"

namespace keyscope::token {
namespace {

constexpr size_t kTagSize = 16;

// What a box is bound to.
Bytes Identity(ByteView uid, KeyScope scope) {
  const auto scope_byte = static_cast<uint8_t>(scope);
  return Concat({{&scope_byte, 1}, uid});
}

SecretBytes Open(const SecretBytes& key, ByteView uid, KeyScope scope, ByteView box) {
  auto opened = crypto::OpenBox(key, Identity(uid, scope), box);
  if (!opened)
    throw Error(Fault::Corrupt,
                "object " + Hex(uid) + " of the " + std::string(Name(scope)) +
                    " token fails its integrity check: it was damaged, or copied here "
                    "from another store; delete it");
  return std::move(*opened);
}

}  // namespace

Vault::Vault(SecretBytes token_secret)
    : token_secret_(std::move(token_secret)),
      object_key_(crypto::DeriveKey(token_secret_, "object")),
      auth_key_(crypto::DeriveKey(token_secret_, "auth")),
      index_key_(crypto::DeriveKey(token_secret_, "index")) {}

Bytes Vault::SealBody(ByteView uid, KeyScope scope, ByteView body) const {
  return crypto::SealBox(object_key_, Identity(uid, scope), body);
}

SecretBytes Vault::OpenBody(ByteView uid, KeyScope scope, ByteView box) const {
  return Open(object_key_, uid, scope, box);
}

Bytes Vault::SealAuth(ByteView uid, KeyScope scope, const SecretBytes& auth) const {
  return crypto::SealBox(auth_key_, Identity(uid, scope), auth.view());
}

SecretBytes Vault::OpenAuth(ByteView uid, KeyScope scope, ByteView box) const {
  return Open(auth_key_, uid, scope, box);
}

Bytes Vault::BlindTag(uint64_t attribute, ByteView value) const {
  uint8_t type[8];
  for (int i = 0; i < 8; ++i) type[i] = static_cast<uint8_t>(attribute >> (56 - 8 * i));
  SecretBytes mac = crypto::HmacSha256(index_key_.view(), {type, value});
  return Copy(mac.view().first(kTagSize));
}

}  // namespace keyscope::token
