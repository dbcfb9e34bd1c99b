// RSA numbers that come from outside: checked, and made into what a TPM imports.
#pragma once

#include <optional>

#include "tpm/types.h"

namespace keyscope::crypto {

// The numbers of an RSA public key, big-endian, leading zeros allowed: nullopt unless the modulus
// is odd and has 1024 to 16384 bits, and the exponent is odd, at least 3 and has at most 64 bits.
std::optional<tpm::RsaPublic> RsaPublicFrom(ByteView modulus, ByteView exponent);
size_t ModulusBits(const tpm::RsaPublic& key);

// The numbers of an RSA private key, big-endian; an empty prime is absent.
struct RsaNumbers {
  ByteView modulus, public_exponent, private_exponent, prime1, prime2;
};
// nullopt when they contradict each other, or the primes are not of the same size, as TPM 2.0 has
// them (Part 1, annex B). Absent primes are recovered from the exponents.
std::optional<tpm::RsaPrivate> RsaPrivateFrom(const RsaNumbers& numbers);

}  // namespace keyscope::crypto
