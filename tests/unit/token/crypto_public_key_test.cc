#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "base/error.h"
#include "tests/unit/token/crypto_support.h"
#include "token/crypto/ec.h"
#include "token/crypto/hash.h"
#include "token/crypto/public_key.h"
#include "token/crypto/rsa_padding.h"

namespace keyscope::crypto {
namespace {

using tpm::Curve;
using tpm::Hash;

// An RSA key pair: the private operation is done with plain numbers, so that any frame can be
// signed.
struct RsaPair {
  ossl::Pkey pkey;
  tpm::RsaPublic numbers;
  Bytes d;
  SoftwareKey key;

  explicit RsaPair(size_t bits)
      : pkey(test::NewRsa(bits)),
        numbers(test::RsaPublicOf(pkey)),
        d(test::NumberOf(pkey, OSSL_PKEY_PARAM_RSA_D)),
        key(numbers) {}
  Bytes Private(ByteView input) const { return test::PowerMod(input, d, numbers.modulus); }
};

TEST(CryptoPublicKey, Pkcs1IsComparedAsAWhole) {
  const RsaPair pair(1024);
  const Bytes digest = Digest(Hash::Sha256, AsBytes("message"));
  const Bytes info = Concat({Info(Hash::Sha256).digest_info_prefix, digest});
  const Bytes signature = pair.Private(*Pkcs1Type1(info, 128));
  EXPECT_TRUE(pair.key.VerifyPkcs1(Hash::Sha256, digest, signature));
  EXPECT_TRUE(pair.key.VerifyPkcs1Raw(info, signature));
  EXPECT_EQ(pair.key.RecoverPkcs1(signature), info);
  EXPECT_FALSE(pair.key.VerifyPkcs1(Hash::Sha3_256, digest, signature));
  EXPECT_FALSE(pair.key.VerifyPkcs1(Hash::Sha256, ByteView(digest).first(31), signature));
  EXPECT_FALSE(pair.key.VerifyPkcs1Raw(digest, signature));
  EXPECT_FALSE(pair.key.VerifyPkcs1Raw(Bytes(200), signature));

  const Bytes ten = pair.Private(*Pkcs1Type1(AsBytes("ten bytes!"), 128));
  EXPECT_TRUE(pair.key.VerifyPkcs1Raw(AsBytes("ten bytes!"), ten));
  Bytes longer = signature;
  longer.insert(longer.begin(), 0);
  EXPECT_FALSE(pair.key.VerifyPkcs1Raw(info, longer));
  EXPECT_FALSE(pair.key.VerifyPkcs1Raw(info, {}));
}

TEST(CryptoPublicKey, PssOfOpensslVerifiesWithItsSaltOnly) {
  for (size_t bits : {1024u, 1025u, 1030u, 2048u}) {
    const RsaPair pair(bits);
    EXPECT_EQ(pair.key.modulus_bits(), bits);
    const Bytes digest = Digest(Hash::Sha384, AsBytes("message"));
    for (int salt : {0, 20, 48}) {
      const ossl::PkeyCtx context(
          EVP_PKEY_CTX_new_from_pkey(ossl::Context(), pair.pkey.get(), nullptr));
      ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
      ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING), 1);
      ASSERT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), Fetched(Hash::Sha384)), 1);
      ASSERT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), Fetched(Hash::Sha256)), 1);
      ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), salt), 1);
      Bytes signature(pair.key.size());
      size_t size = signature.size();
      ASSERT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()),
                1);
      for (int checked : {0, 20, 48})
        EXPECT_EQ(pair.key.VerifyPss(Hash::Sha384, Hash::Sha256, static_cast<size_t>(checked),
                                     digest, signature),
                  salt == checked);
    }
  }
}

TEST(CryptoPublicKey, EncryptionIsUndoneByThePrivateKey) {
  const RsaPair pair(2048);
  const Bytes message = test::Garbage().Some(100);
  auto pkcs1 = pair.key.EncryptPkcs1(message);
  ASSERT_TRUE(pkcs1);
  EXPECT_TRUE(Equal(UnpadPkcs1(pair.Private(*pkcs1))->view(), message));
  auto oaep = pair.key.EncryptOaep(Hash::Sha256, Hash::Sha1, AsBytes("label"), message);
  ASSERT_TRUE(oaep);
  EXPECT_TRUE(Equal(
      UnpadOaep(pair.Private(*oaep), Hash::Sha256, Hash::Sha1, AsBytes("label"))->view(), message));
  EXPECT_FALSE(pair.key.EncryptPkcs1(Bytes(246)));
  EXPECT_FALSE(pair.key.EncryptOaep(Hash::Sha256, Hash::Sha256, {}, Bytes(191)));
}

TEST(CryptoPublicKey, RawTakesNumbersBelowTheModulus) {
  const RsaPair pair(1024);
  EXPECT_EQ(StripLeadingZeros(*pair.key.Raw(Bytes{1})), Bytes{1});
  EXPECT_EQ(pair.key.Raw({})->size(), 128u);
  EXPECT_FALSE(pair.key.Raw(pair.numbers.modulus));
  Bytes below = pair.numbers.modulus;
  --below.back();
  EXPECT_EQ(*pair.key.Raw(below), below);  // -1 to an odd power
  EXPECT_FALSE(pair.key.Raw(Bytes(129)));
}

TEST(CryptoPublicKey, LargeModuliAndUnusualExponentsWork) {
  // No key pair is needed: 2^e mod n, computed in another way.
  for (size_t size : {128u, 129u, 384u, 512u, 2048u}) {
    for (const Bytes& exponent : {Bytes{3}, Bytes{1, 0, 1}, Bytes(8, 0xff)}) {
      Bytes modulus = test::Garbage().Some(size);
      modulus.front() |= 0x80;
      modulus.back() |= 1;
      const SoftwareKey key(tpm::RsaPublic{modulus, exponent});
      EXPECT_EQ(*key.Raw(Bytes{2}), test::PowerMod(Bytes{2}, exponent, modulus));
    }
  }
}

TEST(CryptoPublicKey, EcdsaOfOpensslVerifiesForDigestsOfEveryLength) {
  for (Curve curve : {Curve::P256, Curve::P384, Curve::P521}) {
    const ossl::Pkey pkey = test::NewEc(curve);
    const SoftwareKey key(test::EcPublicOf(pkey, curve));
    for (size_t size = 1; size <= 64; ++size) {
      const Bytes digest = test::Garbage().Some(size);
      const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), pkey.get(), nullptr));
      ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
      Bytes der(160);
      size_t der_size = der.size();
      ASSERT_EQ(EVP_PKEY_sign(context.get(), der.data(), &der_size, digest.data(), size), 1);
      const unsigned char* at = der.data();
      ECDSA_SIG* parsed = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der_size));
      Bytes signature(key.signature_size());
      BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature.data(), static_cast<int>(key.size()));
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature.data() + key.size(),
                   static_cast<int>(key.size()));
      ECDSA_SIG_free(parsed);

      EXPECT_TRUE(key.VerifyEcdsa(digest, signature)) << size;
      Bytes other = digest;
      other[0] ^= 1;
      EXPECT_FALSE(key.VerifyEcdsa(other, signature));
      signature[signature.size() / 3] ^= 1;
      EXPECT_FALSE(key.VerifyEcdsa(digest, signature));
    }
    const Bytes ones(key.signature_size(), 0xff);
    EXPECT_FALSE(key.VerifyEcdsa(Bytes(32), ones));
    EXPECT_FALSE(key.VerifyEcdsa(Bytes(32), Bytes(key.signature_size())));
    EXPECT_FALSE(key.VerifyEcdsa(Bytes(32), ByteView(ones).first(ones.size() - 1)));
    EXPECT_FALSE(key.VerifyEcdsa(Bytes(), ones));
    EXPECT_FALSE(key.VerifyEcdsa(Bytes(65), ones));
  }
}

TEST(CryptoPublicKey, StoredNumbersThatAreNoKeyAreCorrupt) {
  auto fault = [](const tpm::PublicKey& key) {
    try {
      SoftwareKey made(key);
    } catch (const Error& error) {
      return error.Is(Fault::Corrupt);
    }
    return false;
  };
  EXPECT_TRUE(fault(tpm::RsaPublic{}));
  EXPECT_TRUE(fault(tpm::RsaPublic{Bytes(128, 0xfe), {1, 0, 1}}));
  EXPECT_TRUE(fault(tpm::RsaPublic{Bytes(128, 0xff), {1}}));
  EXPECT_TRUE(fault(tpm::EcPublic{Curve::P256, {}, {}}));
  EXPECT_TRUE(fault(tpm::EcPublic{Curve::P256, Bytes(32, 1), Bytes(32, 1)}));
  EXPECT_TRUE(fault(tpm::EcPublic{Curve::P256, Bytes(48), Bytes(48)}));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(CryptoPublicKey, OperationsOfTheOtherTypeAreOurMistake) {
  const SoftwareKey rsa(tpm::RsaPublic{Bytes(128, 0xff), {3}});
  EXPECT_THROW(rsa.VerifyEcdsa(Bytes(32), Bytes(64)), Error);
  const SoftwareKey ec(test::EcPublicOf(test::NewEc(Curve::P256), Curve::P256));
  EXPECT_THROW(ec.VerifyPkcs1Raw({}, Bytes(32)), Error);
  EXPECT_THROW(ec.Raw({}), Error);
}

TEST(CryptoPublicKey, GarbageSignaturesAreRefusedQuietly) {
  test::Garbage garbage;
  const RsaPair pair(1024);
  const SoftwareKey ec(test::EcPublicOf(test::NewEc(Curve::P384), Curve::P384));
  for (int i = 0; i < 300; ++i) {
    const Bytes signature = garbage.Some(i % 2 == 0 ? 128 : garbage.Below(200));
    EXPECT_FALSE(pair.key.VerifyPkcs1Raw({}, signature));
    EXPECT_FALSE(pair.key.VerifyPss(Hash::Sha1, Hash::Sha1, 20, Bytes(20), signature));
    EXPECT_FALSE(pair.key.RecoverPkcs1(signature));
    EXPECT_FALSE(ec.VerifyEcdsa(Bytes(20), garbage.Some(96)));
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace keyscope::crypto
