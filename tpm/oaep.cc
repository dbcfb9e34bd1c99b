// OpenSSL's own padding function draws its seed from the process's default library context, so it
// is written here.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tpm/oaep.h"

#include <openssl/rsa.h>

#include <algorithm>

#include "base/error.h"
#include "base/ossl.h"

namespace keyscope::tpm {
namespace {

const EVP_MD* Fetched(Hash hash) { return ossl::Digest(Name(hash)); }

}  // namespace

void XorMgf1(std::span<uint8_t> block, ByteView seed, Hash mgf) {
  SecretBytes mask(block.size());
  ossl::Check(PKCS1_MGF1(mask.data(), static_cast<long>(mask.size()), seed.data(),
                         static_cast<long>(seed.size()), Fetched(mgf)) == 0,
              "MGF1");
  for (size_t i = 0; i < block.size(); ++i) block[i] ^= mask.data()[i];
}

std::optional<SecretBytes> PadOaep(Hash hash, Hash mgf, ByteView label, ByteView message,
                                   size_t k) {
  const size_t hash_size = DigestSize(hash);
  if (k < 2 * hash_size + 2 || message.size() > k - 2 * hash_size - 2) return std::nullopt;
  SecretBytes em(k);
  std::span<uint8_t> seed(em.data() + 1, hash_size);
  std::span<uint8_t> db(em.data() + 1 + hash_size, k - 1 - hash_size);

  std::ranges::copy(ossl::Random(hash_size), seed.begin());
  ossl::Check(
      EVP_Digest(label.data(), label.size(), db.data(), nullptr, Fetched(hash), nullptr) == 1,
      "OAEP");
  db[db.size() - message.size() - 1] = 1;
  std::ranges::copy(message, db.end() - static_cast<ptrdiff_t>(message.size()));
  XorMgf1(db, seed, mgf);
  XorMgf1(seed, db, mgf);
  return em;
}

}  // namespace keyscope::tpm
