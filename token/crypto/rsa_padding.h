// The paddings of RSA (RFC 8017). `k` is the size of the modulus in bytes; what goes into or comes
// out of the RSA operation ("em") is always k bytes. nullopt: the data do not fit, or the padding
// is wrong.
#pragma once

#include <optional>

#include "base/secret.h"
#include "tpm/oaep.h"

namespace keyscope::crypto {

// 00, the block type, at least eight bytes of padding, 00: what a frame of PKCS #1 v1.5 takes.
inline constexpr size_t kPkcs1Overhead = 11;

// EMSA-PKCS1-v1_5 around any T, not only a DigestInfo (sections 9.2 and 8.2).
std::optional<Bytes> Pkcs1Type1(ByteView data, size_t k);
// The T of such a frame: at least eight bytes of FF, nothing else accepted.
std::optional<ByteView> UnpadPkcs1Type1(ByteView em);

// EMSA-PSS with a random salt of `salt_size` bytes (section 9.1). Verification demands exactly that
// size.
std::optional<Bytes> PssEncode(tpm::Hash hash, tpm::Hash mgf, size_t salt_size, ByteView digest,
                               size_t modulus_bits);
bool PssVerify(tpm::Hash hash, tpm::Hash mgf, size_t salt_size, ByteView digest,
               size_t modulus_bits, ByteView em);

// Encryption (sections 7.2 and 7.1); PadOaep is in tpm/oaep.h.
std::optional<SecretBytes> PadPkcs1(ByteView message, size_t k);
// Constant time until the verdict, which every caller of C_Decrypt sees anyway.
std::optional<SecretBytes> UnpadPkcs1(ByteView em);
std::optional<SecretBytes> UnpadOaep(ByteView em, tpm::Hash hash, tpm::Hash mgf, ByteView label);

}  // namespace keyscope::crypto
