// The checks of decryption are libcrypto's constant-time ones, which OpenSSL 3 calls deprecated but
// offers no other form of. They work with the digests that they are given. Its padding functions
// that draw random bytes take them from the default library context, so those are written here.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "token/crypto/rsa_padding.h"

#include <openssl/rsa.h>

#include <algorithm>

#include "token/crypto/check.h"
#include "token/crypto/hash.h"

namespace keyscope::crypto {
namespace {

using tpm::Hash;
using tpm::XorMgf1;

// The H of section 9.1.1: the hash of eight zero bytes, the digest and the salt.
Bytes PssHash(Hash hash, ByteView digest, ByteView salt) {
  static constexpr uint8_t kZeros[8] = {};
  return Digest(hash, Concat({kZeros, digest, salt}));
}

// Where the parts of an encoded message of modulus_bits - 1 bits are.
struct PssLayout {
  size_t k, em_size, hash_size, db_size;
  uint8_t top_mask;  // the bits that the first byte of the encoded message may have

  PssLayout(Hash hash, size_t modulus_bits)
      : k((modulus_bits + 7) / 8),
        em_size((modulus_bits + 6) / 8),
        hash_size(Info(hash).size()),
        db_size(em_size - std::min(em_size, hash_size + 1)),
        top_mask(static_cast<uint8_t>(0xff >> (8 * em_size - (modulus_bits - 1)))) {}
  bool Fits(size_t salt_size, ByteView digest) const {
    return digest.size() == hash_size && db_size >= 1 && salt_size <= db_size - 1;
  }
};

void FillNonZeroRandom(std::span<uint8_t> padding) {
  for (size_t filled = 0; filled < padding.size();) {
    for (uint8_t byte : ossl::Random(padding.size() - filled))
      if (byte != 0) padding[filled++] = byte;
  }
}

// What a RSA_padding_check_ function left: the size of the message, or -1.
std::optional<SecretBytes> Message(const SecretBytes& buffer, int size) {
  if (size < 0) return std::nullopt;
  return SecretBytes(buffer.view().first(static_cast<size_t>(size)));
}

}  // namespace

std::optional<Bytes> Pkcs1Type1(ByteView data, size_t k) {
  if (k < kPkcs1Overhead || data.size() > k - kPkcs1Overhead) return std::nullopt;
  Bytes em(k, 0xff);
  em[0] = 0;
  em[1] = 1;
  em[k - data.size() - 1] = 0;
  std::copy(data.begin(), data.end(), em.end() - static_cast<ptrdiff_t>(data.size()));
  return em;
}

std::optional<ByteView> UnpadPkcs1Type1(ByteView em) {
  if (em.size() < kPkcs1Overhead || em[0] != 0 || em[1] != 1) return std::nullopt;
  size_t end = 2;
  while (end < em.size() && em[end] == 0xff) ++end;
  if (end < kPkcs1Overhead - 1 || end == em.size() || em[end] != 0) return std::nullopt;
  return em.subspan(end + 1);
}

std::optional<Bytes> PssEncode(Hash hash, Hash mgf, size_t salt_size, ByteView digest,
                               size_t modulus_bits) {
  const PssLayout layout(hash, modulus_bits);
  if (!layout.Fits(salt_size, digest)) return std::nullopt;
  Bytes salt = ossl::Random(salt_size);
  Bytes h = PssHash(hash, digest, salt);

  Bytes em(layout.k, 0);
  auto db = std::span(em).subspan(layout.k - layout.em_size, layout.db_size);
  std::copy(salt.begin(), salt.end(), db.end() - static_cast<ptrdiff_t>(salt_size));
  db[layout.db_size - salt_size - 1] = 1;
  XorMgf1(db, h, mgf);
  db[0] &= layout.top_mask;
  std::copy(h.begin(), h.end(), em.end() - static_cast<ptrdiff_t>(h.size() + 1));
  em.back() = 0xbc;
  return em;
}

bool PssVerify(Hash hash, Hash mgf, size_t salt_size, ByteView digest, size_t modulus_bits,
               ByteView em) {
  const PssLayout layout(hash, modulus_bits);
  if (!layout.Fits(salt_size, digest) || em.size() != layout.k || em.back() != 0xbc) return false;
  if (layout.k != layout.em_size && em[0] != 0) return false;
  em = em.last(layout.em_size);
  if ((em[0] & ~layout.top_mask) != 0) return false;

  Bytes db = Copy(em.first(layout.db_size));
  ByteView h = em.subspan(layout.db_size, layout.hash_size);
  XorMgf1(db, h, mgf);
  db[0] &= layout.top_mask;
  const size_t one = layout.db_size - salt_size - 1;
  if (std::any_of(db.begin(), db.begin() + static_cast<ptrdiff_t>(one),
                  [](uint8_t byte) { return byte != 0; }) ||
      db[one] != 1)
    return false;
  return Equal(PssHash(hash, digest, ByteView(db).subspan(one + 1)), h);
}

std::optional<SecretBytes> PadPkcs1(ByteView message, size_t k) {
  if (k < kPkcs1Overhead || message.size() > k - kPkcs1Overhead) return std::nullopt;
  SecretBytes em(k);
  em.data()[1] = 2;
  FillNonZeroRandom({em.data() + 2, k - message.size() - 3});
  std::copy(message.begin(), message.end(), em.data() + (k - message.size()));
  return em;
}

std::optional<SecretBytes> UnpadPkcs1(ByteView em) {
  const QuietErrors quiet;
  const int k = static_cast<int>(em.size());
  SecretBytes message(em.size());
  return Message(message, RSA_padding_check_PKCS1_type_2(message.data(), k, em.data(), k, k));
}

std::optional<SecretBytes> UnpadOaep(ByteView em, Hash hash, Hash mgf, ByteView label) {
  const QuietErrors quiet;
  const int k = static_cast<int>(em.size());
  SecretBytes message(em.size());
  return Message(message, RSA_padding_check_PKCS1_OAEP_mgf1(
                              message.data(), k, em.data(), k, k, label.data(),
                              static_cast<int>(label.size()), Fetched(hash), Fetched(mgf)));
}

}  // namespace keyscope::crypto
