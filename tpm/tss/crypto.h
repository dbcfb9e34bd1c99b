// The symmetric cryptography of TPM 2.0 sessions and duplication (Part 1, sections 11.4 and 17 to
// 23).
#pragma once

#include <initializer_list>

#include "base/bytes.h"
#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::tpm::tss {

Bytes Digest(Hash hash, std::initializer_list<ByteView> parts);
Bytes Hmac(Hash hash, ByteView key, std::initializer_list<ByteView> parts);

// KDFa (section 11.4.10.2): `size` bytes. The label's NUL is added here.
SecretBytes Kdfa(Hash hash, ByteView key, const char* label, ByteView context_u, ByteView context_v,
                 size_t size);

// AES-CFB in place; the length of `key` says which AES.
void AesCfb(Direction direction, ByteView key, ByteView iv, std::span<uint8_t> data);

// A label travels with its terminating NUL.
ByteView WithNul(const char* label);

}  // namespace keyscope::tpm::tss
