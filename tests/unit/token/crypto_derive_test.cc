// Message authentication codes, key derivation and key wrapping.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include "tests/unit/token/crypto_support.h"
#include "token/crypto/cmac.h"
#include "token/crypto/hash.h"
#include "token/crypto/kdf.h"
#include "token/crypto/key_wrap.h"
#include "token/crypto/mac.h"

namespace keyscope::crypto {
namespace {

using test::Garbage;
using test::Unhex;
using tpm::Hash;
using enum WrapKind;

using keyscope::Hex;
std::string Hex(const SecretBytes& secret) { return Hex(secret.view()); }

Prf HmacPrf(ByteView key) {
  return [key] { return std::make_unique<HostHmac>(Hash::Sha256, key); };
}
Prf CmacPrf(ByteView key) {
  return [key] { return std::make_unique<Cmac>(HostAes(key)); };
}

TEST(CryptoMac, HmacOfRfc4231) {
  const Bytes key(20, 0x0b);
  EXPECT_EQ(Hex(Hmac(Hash::Sha256, key, {AsBytes("Hi "), {}, AsBytes("There")})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(Hmac(Hash::Sha224, Bytes(131, 0xaa),
                     {AsBytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e");
  EXPECT_EQ(Hex(Hmac(Hash::Sha256, {}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(CryptoMac, EveryHashHasItsHmac) {
  for (Hash hash : {Hash::Sha1, Hash::Sha384, Hash::Sha512, Hash::Sha3_224, Hash::Sha3_512})
    EXPECT_EQ(Hmac(hash, AsBytes("key"), {AsBytes("data")}).size(), Info(hash).size());
}

TEST(CryptoMac, CmacOfRfc4493) {
  const Bytes key = Unhex("2b7e151628aed2a6abf7158809cf4f3c");
  EXPECT_EQ(Hex(Cmac(HostAes(key)).Final()), "bb1d6929e95937287fa37d129b756746");
  Cmac block(HostAes(key));
  block.Update(Unhex("6bc1bee22e409f96"));
  block.Update(Unhex("e93d7e117393172a"));
  EXPECT_EQ(Hex(block.Final()), "070a16b46b4d4144f79bdd9dd04a287c");
}

TEST(CryptoKdf, HkdfOfRfc5869) {
  const Bytes ikm(22, 0x0b);
  const SecretBytes prk = HkdfExtract(Hash::Sha256, Unhex("000102030405060708090a0b0c"), ikm);
  EXPECT_EQ(Hex(prk), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(Hex(*HkdfExpand(Hash::Sha256, prk.view(), Unhex("f0f1f2f3f4f5f6f7f8f9"), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(Hex(HkdfExtract(Hash::Sha256, {}, ikm)),
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  EXPECT_TRUE(HkdfExpand(Hash::Sha256, prk.view(), {}, 255 * 32));
  EXPECT_FALSE(HkdfExpand(Hash::Sha256, prk.view(), {}, 255 * 32 + 1));
  EXPECT_FALSE(HkdfExpand(Hash::Sha256, prk.view(), {}, 0));
}

// What OpenSSL's own function of that name derives.
Bytes Openssl(const char* name, const std::vector<OSSL_PARAM>& params, size_t size) {
  EVP_KDF* kdf = EVP_KDF_fetch(ossl::Context(), name, nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  Bytes derived(size);
  EXPECT_EQ(EVP_KDF_derive(context, derived.data(), size, params.data()), 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return derived;
}
OSSL_PARAM Text(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}
OSSL_PARAM Octets(const char* name, Bytes& value) {
  return OSSL_PARAM_construct_octet_string(name, value.data(), value.size());
}

TEST(CryptoKdf, X963IsOpenssls) {
  Bytes secret = Garbage().Some(32);
  Bytes info = Garbage().Some(17);
  for (size_t size : {1u, 32u, 33u, 100u}) {
    for (Hash hash : {Hash::Sha1, Hash::Sha256, Hash::Sha512}) {
      EXPECT_EQ(Hex(*X963Kdf(hash, secret, info, size)),
                Hex(Openssl("X963KDF",
                            {Text(OSSL_KDF_PARAM_DIGEST, Info(hash).ossl_name()),
                             Octets(OSSL_KDF_PARAM_KEY, secret), Octets(OSSL_KDF_PARAM_INFO, info),
                             OSSL_PARAM_END},
                            size)));
    }
  }
  EXPECT_FALSE(X963Kdf(Hash::Sha256, secret, {}, 0));
}

TEST(CryptoKdf, CounterModeIsOpenssls) {
  Bytes key = Garbage().Some(16);
  Bytes label = Garbage().Some(9);
  Bytes context = Garbage().Some(11);
  // OpenSSL's fixed input: label, a zero byte, context, and the length in bits.
  const Bytes after = Concat({label, Bytes{0}, context, Unhex("00000280")});
  const std::vector<OSSL_PARAM> hmac = {
      Text(OSSL_KDF_PARAM_MAC, "HMAC"),     Text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
      Octets(OSSL_KDF_PARAM_KEY, key),      Octets(OSSL_KDF_PARAM_SALT, label),
      Octets(OSSL_KDF_PARAM_INFO, context), OSSL_PARAM_END};
  EXPECT_EQ(Hex(*Derive({.prf = HmacPrf(key), .before = {}, .after = after}, 80)),
            Hex(Openssl("KBKDF", hmac, 80)));
  const std::vector<OSSL_PARAM> cmac = {
      Text(OSSL_KDF_PARAM_MAC, "CMAC"),     Text(OSSL_KDF_PARAM_CIPHER, "AES-128-CBC"),
      Octets(OSSL_KDF_PARAM_KEY, key),      Octets(OSSL_KDF_PARAM_SALT, label),
      Octets(OSSL_KDF_PARAM_INFO, context), OSSL_PARAM_END};
  EXPECT_EQ(Hex(*Derive({.prf = CmacPrf(key), .before = {}, .after = after}, 80)),
            Hex(Openssl("KBKDF", cmac, 80)));
}

TEST(CryptoKdf, CounterHasItsPlaceWidthAndOrder) {
  const Bytes key(16, 3);
  const CounterKdf kdf{.prf = HmacPrf(key),
                       .before = AsBytes("before"),
                       .after = AsBytes("after"),
                       .counter_bytes = 2,
                       .little_endian = true};
  EXPECT_EQ(Hex(*Derive(kdf, 32)),
            Hex(Hmac(Hash::Sha256, key, {AsBytes("before"), Unhex("0100"), AsBytes("after")})));
  const CounterKdf narrow{.prf = HmacPrf(key), .before = {}, .after = {}, .counter_bytes = 1};
  EXPECT_TRUE(Derive(narrow, 255 * 32));
  EXPECT_FALSE(Derive(narrow, 255 * 32 + 1));
  for (unsigned bytes : {0u, 5u})
    EXPECT_FALSE(
        Derive({.prf = HmacPrf(key), .before = {}, .after = {}, .counter_bytes = bytes}, 32));
}

TEST(CryptoKeyWrap, VectorsOfRfc3394And5649) {
  const Bytes kek = Unhex("000102030405060708090a0b0c0d0e0f");
  const Bytes key = Unhex("00112233445566778899aabbccddeeff");
  const Bytes wrapped = *WrapAes(Plain, *HostAes(kek), {}, key);
  EXPECT_EQ(Hex(wrapped), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
  EXPECT_TRUE(Equal(UnwrapAes(Plain, *HostAes(kek), {}, wrapped)->view(), key));

  const Bytes kek192 = Unhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
  EXPECT_EQ(Hex(*WrapAes(Padded, *HostAes(kek192), {},
                         Unhex("c37b7e6492584340bed12207808941155068f738"))),
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a");
  EXPECT_EQ(Hex(*WrapAes(Padded, *HostAes(kek192), {}, Unhex("466f7250617369"))),
            "afbeb0f07dfbf5419200f2ccb50bb24f");
}

TEST(CryptoKeyWrap, EveryLengthComesBackOrIsRefused) {
  const Bytes kek(32, 5);
  const Bytes iv8(8, 1);
  const Bytes iv4(4, 1);
  for (size_t size = 0; size < 70; ++size) {
    const Bytes key = Garbage().Some(size);
    for (ByteView iv : {ByteView(), ByteView(iv8)}) {
      auto plain = WrapAes(Plain, *HostAes(kek), iv, key);
      ASSERT_EQ(plain.has_value(), size >= 16 && size % 8 == 0) << size;
      if (!plain) continue;
      EXPECT_TRUE(Equal(UnwrapAes(Plain, *HostAes(kek), iv, *plain)->view(), key));
      EXPECT_FALSE(
          UnwrapAes(Plain, *HostAes(kek), iv.empty() ? ByteView(iv8) : ByteView(), *plain));
    }
    for (ByteView iv : {ByteView(), ByteView(iv4)}) {
      auto padded = WrapAes(Padded, *HostAes(kek), iv, key);
      ASSERT_EQ(padded.has_value(), size >= 1) << size;
      if (!padded) continue;
      EXPECT_EQ(padded->size(), (size + 7) / 8 * 8 + 8);
      EXPECT_TRUE(Equal(UnwrapAes(Padded, *HostAes(kek), iv, *padded)->view(), key));
    }
  }
  EXPECT_EQ(HostAes(Bytes(15)), nullptr);
  EXPECT_FALSE(WrapAes(Plain, *HostAes(kek), iv4, Bytes(16)));
  EXPECT_FALSE(WrapAes(Padded, *HostAes(kek), iv8, Bytes(16)));
}

TEST(CryptoKeyWrap, GarbageIsRefusedQuietly) {
  Garbage garbage;
  const Bytes kek(16, 5);
  const Bytes good = *WrapAes(Padded, *HostAes(kek), {}, Bytes(20, 1));
  for (int i = 0; i < 1000; ++i) {
    Bytes bad = i % 2 == 0 ? garbage.Some(garbage.Below(60)) : garbage.Damaged(good);
    if (bad == good) continue;
    EXPECT_FALSE(UnwrapAes(Plain, *HostAes(kek), {}, bad));
    EXPECT_FALSE(UnwrapAes(Padded, *HostAes(kek), {}, bad));
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace keyscope::crypto
