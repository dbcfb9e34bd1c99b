// Key derivation: ANSI X9.63 (SEC 1, section 3.6.1), HKDF (RFC 5869) and NIST SP 800-108.
// nullopt: no bytes are asked for, or more than the function can give.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "token/crypto/mac.h"

namespace keyscope::crypto {

std::optional<SecretBytes> X963Kdf(tpm::Hash hash, ByteView shared_secret, ByteView shared_info,
                                   size_t size);

// An empty salt stands for a digest's size of zero bytes, as RFC 5869 says.
SecretBytes HkdfExtract(tpm::Hash hash, ByteView salt, ByteView input);
std::optional<SecretBytes> HkdfExpand(tpm::Hash hash, ByteView pseudorandom_key, ByteView info,
                                      size_t size);

// The pseudorandom function of SP 800-108 with its key, which may be anywhere: a new one for each
// block.
using Prf = std::function<std::unique_ptr<Authenticator>()>;
// SP 800-108, section 4.1 (counter mode): each block is the PRF of `before`, the counter from 1 on,
// and `after`.
struct CounterKdf {
  Prf prf;
  ByteView before, after;
  unsigned counter_bytes = 4;  // 1 to 4
  bool little_endian = false;
};
std::optional<SecretBytes> Derive(const CounterKdf& kdf, size_t size);

}  // namespace keyscope::crypto
