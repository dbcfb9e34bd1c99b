// AES key wrap: RFC 3394 (CKM_AES_KEY_WRAP) and, with padding, RFC 5649 (CKM_AES_KEY_WRAP_KWP).
#pragma once

#include <optional>

#include "token/crypto/aes.h"

namespace keyscope::crypto {

enum class WrapKind : uint8_t { Plain, Padded };
constexpr size_t WrapIvSize(WrapKind kind) { return kind == WrapKind::Plain ? 8 : 4; }

// `iv`: of WrapIvSize, or empty for the one of the RFC. nullopt: an iv of another length, or data
// of a length that cannot be wrapped (plain: 16 or more bytes, a multiple of 8; padded: 1 or more).
std::optional<Bytes> WrapAes(WrapKind kind, Aes& key, ByteView iv, ByteView data);
// nullopt also when the integrity check fails.
std::optional<SecretBytes> UnwrapAes(WrapKind kind, Aes& key, ByteView iv, ByteView wrapped);

}  // namespace keyscope::crypto
