// Vault: what the token secret opens. One secret per token, sealed in the TPM under the PINs; from
// it come the keys that encrypt private objects and key auths at rest, and the key of the blind
// index.
#pragma once

#include "base/bytes.h"
#include "base/scope.h"
#include "base/secret.h"

namespace keyscope::token {

class Vault {
 public:
  explicit Vault(SecretBytes token_secret);

  const SecretBytes& token_secret() const { return token_secret_; }

  // Bound to the object's uid and scope: a row copied elsewhere does not open (Fault::Corrupt).
  Bytes SealBody(ByteView uid, KeyScope scope, ByteView body) const;
  SecretBytes OpenBody(ByteView uid, KeyScope scope, ByteView box) const;
  Bytes SealAuth(ByteView uid, KeyScope scope, const SecretBytes& auth) const;
  SecretBytes OpenAuth(ByteView uid, KeyScope scope, ByteView box) const;

  // 16 bytes: equal values have equal tags, and a tag says nothing to who has not the secret.
  Bytes BlindTag(uint64_t attribute, ByteView value) const;

 private:
  SecretBytes token_secret_, object_key_, auth_key_, index_key_;
};

}  // namespace keyscope::token
