// Secret keys in the TPM: what they cost, and their place in it.
#include "tests/contract/tss_subject.h"
#include "tpm/tss/crypto.h"

namespace keyscope::test {
namespace {

using tpm::AesMode;
using tpm::Hash;

class TssSecret : public TssTest {
 protected:
  TssSecret() {
    ready_aes = Ready(
        "aes", backend.CreateSecret(root, {KeyScope::User, tpm::AesSpec{128}}, {}, AuthOf("aes")));
    ready_hmac =
        Ready("hmac", backend.CreateSecret(root, {KeyScope::User, tpm::HmacSpec{Hash::Sha256}},
                                           SecretBytes(value), AuthOf("hmac")));
  }
  void Encrypt(size_t size) {
    Bytes iv(16);
    backend.RunAes(root, ready_aes, AesMode::Cbc, tpm::Direction::Encrypt, iv, Bytes(size));
  }
  bool HmacIsRight() {
    return Equal(backend.Hmac(root, ready_hmac, message).view(),
                 tpm::tss::Hmac(Hash::Sha256, value, {message}));
  }

  const Bytes value = Bytes(32, 5), message = Bytes(3000, 6);
  tpm::KeyRef ready_aes, ready_hmac;
};

TEST_F(TssSecret, AKibTakesOneCommand) {
  for (int i = 0; i < 2; ++i) Encrypt(16);  // from here on the session is held
  EXPECT_EQ(Commands([&] { Encrypt(16); }), 1);
  EXPECT_EQ(Commands([&] { Encrypt(1024); }), 1);
  EXPECT_EQ(Commands([&] { Encrypt(10 * 1024); }), 10);
}

TEST_F(TssSecret, ALongHmacTakesOneMoreThanItHasKib) {
  for (int i = 0; i < 2; ++i) HmacIsRight();
  EXPECT_EQ(Commands([&] { EXPECT_TRUE(HmacIsRight()); }), 4);
  EXPECT_EQ(proxy.LoadedHandles().size(), 2U) << "the key and the session";
}

TEST_F(TssSecret, ALongHmacFindsRoomInAFullTpm) {
  std::vector<tpm::KeyRef> keys;
  for (int i = 0; i < 4; ++i) keys.push_back(NewKey(backend, root, std::to_string(i), kP256));
  for (int round = 0; round < 2; ++round) {
    for (const tpm::KeyRef& key : keys) SignWith(key);
    EXPECT_TRUE(HmacIsRight());
  }
}

}  // namespace
}  // namespace keyscope::test
