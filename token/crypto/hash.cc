#include "token/crypto/hash.h"

#include <array>
#include <atomic>

#include "token/crypto/check.h"

namespace keyscope::crypto {
namespace {

using tpm::Hash;

constexpr std::array<uint8_t, 15> kSha1Prefix = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                                 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};

// The SHA-2 and SHA-3 identifiers are 2.16.840.1.101.3.4.2.`id`.
template <uint8_t id, uint8_t size>
constexpr std::array<uint8_t, 19> kNistPrefix = {0x30, 0x11 + size, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                                 0x86, 0x48,        0x01, 0x65, 0x03, 0x04, 0x02,
                                                 id,   0x05,        0x00, 0x04, size};

// In the order of tpm::Hash, without None.
constexpr std::array<HashInfo, 9> kHashes = {{
    {Hash::Sha1, kSha1Prefix},
    {Hash::Sha224, kNistPrefix<4, 28>},
    {Hash::Sha256, kNistPrefix<1, 32>},
    {Hash::Sha384, kNistPrefix<2, 48>},
    {Hash::Sha512, kNistPrefix<3, 64>},
    {Hash::Sha3_224, kNistPrefix<7, 28>},
    {Hash::Sha3_256, kNistPrefix<8, 32>},
    {Hash::Sha3_384, kNistPrefix<9, 48>},
    {Hash::Sha3_512, kNistPrefix<10, 64>},
}};

// To make an EVP_MD_CTX and to free it takes as long as to digest 300 bytes, so one of each hash is
// kept. It is as good as new: a copy of one that never saw any data. Both are leaked on purpose.
struct Contexts {
  std::atomic<EVP_MD_CTX*> unused, spare;
};

Contexts& ContextsOf(Hash hash) {
  static std::array<Contexts, kHashes.size()> contexts;
  return contexts[static_cast<size_t>(&Info(hash) - kHashes.data())];
}

const EVP_MD_CTX* Unused(Hash hash) {
  auto& unused = ContextsOf(hash).unused;
  EVP_MD_CTX* present = unused;
  if (present != nullptr) return present;
  ossl::MdCtx made(EVP_MD_CTX_new());
  Check(made != nullptr && EVP_DigestInit_ex2(made.get(), Fetched(hash), nullptr) == 1,
        "EVP_DigestInit_ex2");
  return unused.compare_exchange_strong(present, made.get()) ? made.release() : present;
}

}  // namespace

const HashInfo& Info(Hash hash) {
  for (const HashInfo& info : kHashes)
    if (info.hash == hash) return info;
  throw Error(Fault::Internal, "no such hash");
}

const EVP_MD* Fetched(Hash hash) {
  const EVP_MD* fetched = ossl::Digest(Info(hash).ossl_name());
  Check(fetched != nullptr, "EVP_MD_fetch");
  return fetched;
}

Bytes Digest(Hash hash, ByteView data) {
  Bytes digest(Info(hash).size());
  Check(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, Fetched(hash), nullptr) == 1,
        "EVP_Digest");
  return digest;
}

Digester::Digester(Hash hash) : context_(ContextsOf(hash).spare.exchange(nullptr), {hash}) {
  if (context_ != nullptr) return;
  const EVP_MD_CTX* unused = Unused(hash);
  context_.reset(EVP_MD_CTX_new());
  Check(context_ != nullptr && EVP_MD_CTX_copy_ex(context_.get(), unused) == 1,
        "EVP_MD_CTX_copy_ex");
}

void Digester::Recycle::operator()(EVP_MD_CTX* context) const {
  const EVP_MD_CTX* unused = ContextsOf(hash).unused;
  if (EVP_MD_CTX_copy_ex(context, unused) == 1) context = ContextsOf(hash).spare.exchange(context);
  EVP_MD_CTX_free(context);
}

void Digester::Update(ByteView data) {
  Check(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1, "EVP_DigestUpdate");
}

SecretBytes Digester::Final() {
  SecretBytes digest(static_cast<size_t>(EVP_MD_CTX_get_size(context_.get())));
  Check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1, "EVP_DigestFinal_ex");
  return digest;
}

std::optional<std::pair<Hash, ByteView>> ParseDigestInfo(ByteView der) {
  for (const HashInfo& info : kHashes) {
    size_t prefix = info.digest_info_prefix.size();
    if (der.size() == prefix + info.size() && Equal(der.first(prefix), info.digest_info_prefix))
      return {{info.hash, der.subspan(prefix)}};
  }
  return std::nullopt;
}

}  // namespace keyscope::crypto
