// The hashes that the module computes itself: one table, one-shot and streaming digests.
#pragma once

#include <optional>
#include <utility>

#include "base/ossl.h"
#include "tpm/types.h"

namespace keyscope::crypto {

struct HashInfo {
  tpm::Hash hash;
  ByteView digest_info_prefix;  // DER of DigestInfo up to the digest (RFC 8017, section 9.2)

  const char* ossl_name() const { return tpm::Name(hash); }
  size_t size() const { return tpm::DigestSize(hash); }
};

// Every call with Hash::None throws Fault::Internal.
const HashInfo& Info(tpm::Hash hash);
const EVP_MD* Fetched(tpm::Hash hash);

Bytes Digest(tpm::Hash hash, ByteView data);

class Digester {
 public:
  explicit Digester(tpm::Hash hash);
  void Update(ByteView data);
  SecretBytes Final();  // once

 private:
  struct Recycle {
    tpm::Hash hash;
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Recycle> context_;
};

// A DigestInfo with exactly one of the prefixes above; the view is the digest within `der`.
std::optional<std::pair<tpm::Hash, ByteView>> ParseDigestInfo(ByteView der);

}  // namespace keyscope::crypto
