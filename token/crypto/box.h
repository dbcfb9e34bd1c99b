// How the token keeps secrets in the store: AES-256-GCM under keys derived from the token secret.
#pragma once

#include <optional>
#include <string_view>

#include "base/secret.h"

namespace keyscope::crypto {

// A box is a version byte, a random 12-byte nonce, the ciphertext and a 16-byte tag. `key`: 32
// bytes. `aad`: what the box belongs to; it opens with the same only.
Bytes SealBox(const SecretBytes& key, ByteView aad, ByteView plaintext);
std::optional<SecretBytes> OpenBox(const SecretBytes& key, ByteView aad, ByteView box);

SecretBytes HmacSha256(ByteView key, std::initializer_list<ByteView> parts);

// A 32-byte key for one purpose from the token secret. Different purposes give unrelated keys.
SecretBytes DeriveKey(const SecretBytes& token_secret, std::string_view purpose);

}  // namespace keyscope::crypto
