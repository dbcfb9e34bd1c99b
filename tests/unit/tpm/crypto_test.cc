// Known answers from other implementations (Python's hmac and hashlib). That sessions, salts and
// wrapping are right is what the TPM itself says in tests/contract.
#include "tpm/tss/crypto.h"

#include <gtest/gtest.h>

namespace keyscope::tpm::tss {
namespace {

TEST(Crypto, Digest) {
  EXPECT_EQ(Hex(Digest(Hash::Sha256, {AsBytes("a"), {}, AsBytes("bc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4231, test case 2, and the empty key.
TEST(Crypto, Hmac) {
  EXPECT_EQ(Hex(Hmac(Hash::Sha256, AsBytes("Jefe"),
                     {AsBytes("what do ya want "), AsBytes("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(Hmac(Hash::Sha256, {}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Crypto, Kdfa) {
  const SecretBytes derived =
      Kdfa(Hash::Sha256, AsBytes("key"), "CFB", AsBytes("newer"), AsBytes("older"), 40);
  EXPECT_EQ(Hex(derived.view()),
            "f339e93646f718cd689dd60b86226ff01339ce2921fac17d1d1ae45ba78443ec90e1d2654743b638");
}

TEST(Crypto, AesCfbGoesBothWays) {
  const Bytes key(16, 1), iv(16, 2), plain(37, 3);
  Bytes data = plain;
  AesCfb(Direction::Encrypt, key, iv, data);
  EXPECT_NE(data, plain);
  AesCfb(Direction::Decrypt, key, iv, data);
  EXPECT_EQ(data, plain);
  AesCfb(Direction::Encrypt, key, iv, {});
}

}  // namespace
}  // namespace keyscope::tpm::tss
