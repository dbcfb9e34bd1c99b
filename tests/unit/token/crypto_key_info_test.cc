#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/unit/token/crypto_support.h"
#include "token/crypto/certificate.h"
#include "token/crypto/der.h"
#include "token/crypto/ec.h"
#include "token/crypto/key_info.h"

namespace keyscope::crypto {
namespace {

using tpm::Curve;

Bytes PublicDer(const ossl::Pkey& key) { return test::Der(i2d_PUBKEY, key.get()); }
Bytes PrivateDer(const ossl::Pkey& key) {
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key.get());
  Bytes der = test::Der(i2d_PKCS8_PRIV_KEY_INFO, info);
  PKCS8_PRIV_KEY_INFO_free(info);
  return der;
}

// A self-signed certificate for example.com with serial number 00ff00.
Bytes NewCertificate(const ossl::Pkey& key) {
  X509* certificate = X509_new_ex(ossl::Context(), nullptr);
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0xff00);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             AsBytes("example.com").data(), -1, -1, 0);
  X509_NAME_add_entry_by_txt(X509_get_issuer_name(certificate), "CN", MBSTRING_UTF8,
                             AsBytes("an issuer").data(), -1, -1, 0);
  X509_set_pubkey(certificate, key.get());
  X509_sign(certificate, key.get(), ossl::Digest("SHA256"));
  Bytes der = test::Der(i2d_X509, certificate);
  X509_free(certificate);
  return der;
}

TEST(CryptoKeyInfo, PublicKeysAreWrittenAndReadAsOpensslDoes) {
  const ossl::Pkey rsa = test::NewRsa(2048);
  EXPECT_EQ(EncodePublicKeyInfo(test::RsaPublicOf(rsa)), PublicDer(rsa));
  auto decoded = DecodePublicKeyInfo(PublicDer(rsa));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<tpm::RsaPublic>(*decoded).modulus, test::RsaPublicOf(rsa).modulus);

  for (Curve curve : {Curve::P256, Curve::P384, Curve::P521}) {
    const ossl::Pkey ec = test::NewEc(curve);
    const tpm::EcPublic key = test::EcPublicOf(ec, curve);
    EXPECT_EQ(EncodePublicKeyInfo(key), PublicDer(ec));
    auto back = DecodePublicKeyInfo(PublicDer(ec));
    ASSERT_TRUE(back);
    EXPECT_EQ(std::get<tpm::EcPublic>(*back).x, key.x);
    EXPECT_EQ(std::get<tpm::EcPublic>(*back).curve, curve);
  }
}

TEST(CryptoKeyInfo, PrivateKeysOfOpensslAreRead) {
  const ossl::Pkey rsa = test::NewRsa(2048);
  auto decoded = DecodePrivateKeyInfo(PrivateDer(rsa));
  ASSERT_TRUE(decoded);
  const auto& rsa_key = std::get<tpm::RsaPrivate>(*decoded);
  EXPECT_EQ(rsa_key.public_key.modulus, test::RsaPublicOf(rsa).modulus);
  EXPECT_TRUE(Equal(rsa_key.prime.view(), test::NumberOf(rsa, OSSL_PKEY_PARAM_RSA_FACTOR1)));

  for (Curve curve : {Curve::P256, Curve::P384, Curve::P521}) {
    const ossl::Pkey ec = test::NewEc(curve);
    auto back = DecodePrivateKeyInfo(PrivateDer(ec));
    ASSERT_TRUE(back);
    const auto& key = std::get<tpm::EcPrivate>(*back);
    EXPECT_EQ(key.public_key.x, test::EcPublicOf(ec, curve).x);
    EXPECT_TRUE(
        Equal(StripLeadingZeros(key.scalar.view()), test::NumberOf(ec, OSSL_PKEY_PARAM_PRIV_KEY)));
  }
}

TEST(CryptoKeyInfo, OtherKeysAreRefused) {
  const ossl::Pkey ed25519(EVP_PKEY_Q_keygen(ossl::Context(), nullptr, "ED25519"));
  EXPECT_FALSE(DecodePublicKeyInfo(PublicDer(ed25519)));
  EXPECT_FALSE(DecodePrivateKeyInfo(PrivateDer(ed25519)));
  const ossl::Pkey k1 = test::NewEc("secp256k1");
  EXPECT_FALSE(DecodePublicKeyInfo(PublicDer(k1)));
  EXPECT_FALSE(DecodePrivateKeyInfo(PrivateDer(k1)));
}

// The public key that OpenSSL writes at the end of an EC private key is compared with the scalar.
TEST(CryptoKeyInfo, PublicPartThatContradictsIsRefused) {
  Bytes der = PrivateDer(test::NewEc("P-256"));
  ASSERT_TRUE(DecodePrivateKeyInfo(der));
  der.back() ^= 1;
  EXPECT_FALSE(DecodePrivateKeyInfo(der));
}

// RFC 5958: attributes [0], and in version 1 the public key [1]; nothing else.
TEST(CryptoKeyInfo, WhatFollowsAPrivateKeyIsLookedAt) {
  const Bytes der = PrivateDer(test::NewRsa(2048));
  const auto content = der::Only(der::kSequence, der);
  ASSERT_TRUE(content);
  const uint8_t attributes[] = {0xa0, 2, 0x31, 0}, key[] = {0x81, 2, 0, 7}, junk[] = {0xde, 0xad};
  auto with = [&](uint8_t version, std::initializer_list<ByteView> more) {
    Bytes changed = Copy(*content);
    changed[2] = version;
    for (ByteView one : more) changed = Concat({changed, one});
    return DecodePrivateKeyInfo(der::Write(der::kSequence, {changed})).has_value();
  };
  EXPECT_TRUE(with(0, {attributes}));
  EXPECT_TRUE(with(1, {attributes, key}));
  EXPECT_TRUE(with(1, {key}));
  EXPECT_FALSE(with(0, {key}));
  EXPECT_FALSE(with(0, {junk}));
  EXPECT_FALSE(with(1, {attributes, key, junk}));
  EXPECT_FALSE(with(1, {key, attributes}));
}

TEST(CryptoKeyInfo, CertificateFieldsAreThoseOfOpenssl) {
  const ossl::Pkey key = test::NewEc("P-256");
  const Bytes der = NewCertificate(key);
  auto fields = ParseCertificate(der);
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->public_key_info, PublicDer(key));
  EXPECT_EQ(Hex(fields->serial), "020300ff00");
  EXPECT_NE(AsString(fields->subject).find("example.com"), std::string::npos);
  EXPECT_NE(AsString(fields->issuer).find("an issuer"), std::string::npos);
  EXPECT_EQ(fields->subject[0], der::kSequence);

  EXPECT_FALSE(ParseCertificate({}));
  EXPECT_FALSE(ParseCertificate(Concat({der, Bytes{0}})));
  EXPECT_FALSE(ParseCertificate(ByteView(der).first(der.size() - 1)));
  EXPECT_FALSE(ParseCertificate(PublicDer(key)));
}

TEST(CryptoDer, LengthsAreMinimalAndWithinBounds) {
  for (const char* hex : {"30", "3080", "308100", "30810101", "30820001ff", "3085000000000100",
                          "3084ffffffff", "3002ff", "0401ff"})
    EXPECT_FALSE(der::Only(der::kSequence, test::Unhex(hex))) << hex;
  for (size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 70000u}) {
    const Bytes content(size, 7);
    EXPECT_TRUE(Equal(*der::Only(der::kSequence, der::Write(der::kSequence, {content})), content));
  }
  EXPECT_EQ(Hex(der::WriteUnsigned(Bytes{0, 0, 0x80})), "02020080");
  EXPECT_EQ(Hex(der::WriteUnsigned(Bytes{0})), "020100");
  for (const char* hex : {"0200", "0201ff", "0202007f", "020200"}) {
    const Bytes number = test::Unhex(hex);
    EXPECT_FALSE(der::Reader(number).Unsigned()) << hex;
  }
}

TEST(CryptoDer, GarbageIsRefusedQuietly) {
  test::Garbage garbage;
  const ossl::Pkey ec = test::NewEc("P-521");
  const ossl::Pkey rsa = test::NewRsa(1024);
  const Bytes good[] = {PublicDer(ec),   PublicDer(rsa),     PrivateDer(ec),
                        PrivateDer(rsa), NewCertificate(ec), NewCertificate(rsa)};
  for (int i = 0; i < 2000; ++i) {
    const Bytes bad = i % 4 == 0 ? garbage.Some(garbage.Below(200))
                                 : garbage.Damaged(good[garbage.Below(std::size(good))]);
    DecodePublicKeyInfo(bad);
    DecodePrivateKeyInfo(bad);
    ParseCertificate(bad);
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace keyscope::crypto
