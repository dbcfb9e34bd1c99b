// OpenSSL through the module's own library context, with the default provider only: the module must
// work inside a process whose OpenSSL is configured to use this very module. The one place where
// the context and the fetched algorithms live, so that tpm/ and token/ share one. Algorithms are
// fetched once and never freed. C_Finalize may run in OPENSSL_cleanup: it frees what operations and
// keys hold of this context, and calls nothing that would initialise OpenSSL.
#pragma once

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "base/bytes.h"
#include "base/error.h"

namespace keyscope::ossl {

OSSL_LIB_CTX* Context();

// For pthread_atfork: no thread is fetching while a child is made.
void LockForFork();
void UnlockAfterFork();

// OpenSSL's first digest in a process reads its configuration (for engines), which may load a
// provider that calls this very module. So the first digest happens here, with no lock of ours
// held.
void Prepare();

// Fetched by name, cached for the life of the process; nullptr when this OpenSSL has no such thing.
const EVP_MD* Digest(const char* name);
const EVP_CIPHER* Cipher(const char* name);
EVP_MAC* Mac(const char* name);

// OpenSSL's newest error as text, and its queue emptied: the host's error queue stays clean.
std::string TakeError();
// For calls that fail only when memory is gone or this OpenSSL lacks an algorithm: then Internal.
[[noreturn]] void ThrowFailed(const char* what, Where where);
inline void Check(bool ok, const char* what, Where where = Where::Here()) {
  if (!ok) ThrowFailed(what, where);
}

// n random bytes from the context's own generator.
Bytes Random(size_t n);

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using MdCtx = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using MacCtx = std::unique_ptr<EVP_MAC_CTX, Deleter<EVP_MAC_CTX_free>>;
using CipherCtx = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyCtx = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using Bn = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using BnCtx = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;
using Group = std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>>;

// An unsigned big-endian number.
Bn Number(ByteView bytes);

}  // namespace keyscope::ossl
