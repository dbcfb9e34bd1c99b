// Where a secret key lives. In the TPM, when it is meant to stay and nobody is to read it; else its
// value is kept under the token secret and used in host memory.
#pragma once

#include <optional>

#include "token/crypto/aes.h"
#include "token/crypto/mac.h"
#include "token/mechanism_rules.h"

namespace keyscope::token {

// How the TPM is to hold a new key of `size` bytes; nullopt: it is not. In the TPM are token
// objects that are sensitive and not extractable: AES of a size that the TPM has, and the keys of
// one HMAC whose hash it has. CKK_GENERIC_SECRET is not: derivation needs the value.
std::optional<tpm::SecretSpec> TpmSpecFor(const Object& object, size_t size,
                                          const tpm::Facts& facts);

// The hash of CKK_SHA256_HMAC and its like; nullopt for other key types.
std::optional<tpm::Hash> HmacHashOf(CK_KEY_TYPE type);

// The value of a key in host memory. CKR_KEY_TYPE_INCONSISTENT for one in the TPM.
const SecretBytes& HostValue(const tpm::KeyRef& key);

// An AES key at work, wherever it is. Fault::Corrupt for a stored value that is none.
std::shared_ptr<crypto::Aes> AesOf(tpm::Backend& backend, std::shared_ptr<const tpm::Root> root,
                                   std::shared_ptr<const tpm::KeyRef> key);
std::shared_ptr<crypto::Aes> AesOf(const Materials& materials);
// HMAC, wherever the key is. In the TPM the message, of at most 16 MiB, is collected first.
// CKR_KEY_TYPE_INCONSISTENT for a key that is made for HMAC with another hash.
std::unique_ptr<crypto::Authenticator> HmacOf(const Materials& materials, tpm::Hash hash);

}  // namespace keyscope::token
