// Signatures of every mechanism, checked by OpenSSL, and OpenSSL's checked by the module.
#include <openssl/rsa.h>

#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

class Signing : public LoggedIn {
 protected:
  Key PublicOf(const KeyPair& pair) {
    return FromPublicKeyInfo(Get(session, pair.public_key, CKA_PUBLIC_KEY_INFO));
  }
  // What C_Verify says of a signature and of its relatives.
  void ExpectVerifies(const Mechanism& mechanism, CK_OBJECT_HANDLE key, ByteView data,
                      const Bytes& signature) {
    EXPECT_OK(Verify(session, mechanism, key, data, signature));
    Bytes changed = signature;
    changed.back() ^= 1;
    EXPECT_RV(CKR_SIGNATURE_INVALID, Verify(session, mechanism, key, data, changed));
    EXPECT_RV(CKR_SIGNATURE_LEN_RANGE, Verify(session, mechanism, key, data,
                                              ByteView(signature).first(signature.size() - 1)));
    changed.push_back(0);
    EXPECT_RV(CKR_SIGNATURE_LEN_RANGE, Verify(session, mechanism, key, data, changed));
    EXPECT_RV(CKR_SIGNATURE_LEN_RANGE, Verify(session, mechanism, key, data, {}));
    Bytes other = Copy(data);
    other[0] ^= 1;
    EXPECT_RV(CKR_SIGNATURE_INVALID, Verify(session, mechanism, key, other, signature));
  }
  const Bytes message = Pattern(1000);
};

constexpr CK_MECHANISM_TYPE kPkcs1[] = {
    CKM_SHA1_RSA_PKCS,     CKM_SHA224_RSA_PKCS,   CKM_SHA256_RSA_PKCS,
    CKM_SHA384_RSA_PKCS,   CKM_SHA512_RSA_PKCS,   CKM_SHA3_224_RSA_PKCS,
    CKM_SHA3_256_RSA_PKCS, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_512_RSA_PKCS};
constexpr CK_MECHANISM_TYPE kPss[] = {
    CKM_SHA1_RSA_PKCS_PSS,     CKM_SHA224_RSA_PKCS_PSS,   CKM_SHA256_RSA_PKCS_PSS,
    CKM_SHA384_RSA_PKCS_PSS,   CKM_SHA512_RSA_PKCS_PSS,   CKM_SHA3_224_RSA_PKCS_PSS,
    CKM_SHA3_256_RSA_PKCS_PSS, CKM_SHA3_384_RSA_PKCS_PSS, CKM_SHA3_512_RSA_PKCS_PSS};
constexpr CK_MECHANISM_TYPE kEcdsa[] = {CKM_ECDSA_SHA1,     CKM_ECDSA_SHA224,   CKM_ECDSA_SHA256,
                                        CKM_ECDSA_SHA384,   CKM_ECDSA_SHA512,   CKM_ECDSA_SHA3_224,
                                        CKM_ECDSA_SHA3_256, CKM_ECDSA_SHA3_384, CKM_ECDSA_SHA3_512};

TEST_F(Signing, Pkcs1WithEveryHash) {
  const KeyPair pair = GenerateRsa(session);
  const Key key = PublicOf(pair);
  for (size_t i = 0; i < std::size(kHashes); ++i) {
    SCOPED_TRACE(kHashes[i].name);
    const Bytes digest = Digest(kHashes[i].name, message);
    const Bytes signature = Do(kSign, session, kPkcs1[i], pair.private_key, message);
    EXPECT_TRUE(VerifyDigest(key, {RSA_PKCS1_PADDING, kHashes[i].name}, digest, signature));
    EXPECT_EQ(DoInParts(kSign, session, kPkcs1[i], pair.private_key, message, 77), signature);
    ExpectVerifies(kPkcs1[i], pair.public_key, message, signature);
    EXPECT_OK(VerifyInParts(session, kPkcs1[i], pair.public_key, message, signature, 33));
  }
}

TEST_F(Signing, Pkcs1OfAnythingThatFits) {
  const KeyPair pair = GenerateRsa(session);
  const Key key = PublicOf(pair);
  for (size_t size : {1, 19, 20, 32, 36, 51, 100, 245}) {
    SCOPED_TRACE(size);
    const Bytes data = Pattern(size);
    const Bytes signature = Do(kSign, session, CKM_RSA_PKCS, pair.private_key, data);
    EXPECT_TRUE(VerifyDigest(key, {RSA_PKCS1_PADDING}, data, signature));
    ExpectVerifies(CKM_RSA_PKCS, pair.public_key, data, signature);
    EXPECT_EQ(Do(kSignRecover, session, CKM_RSA_PKCS, pair.private_key, data), signature);
    EXPECT_EQ(Do(kVerifyRecover, session, CKM_RSA_PKCS, pair.public_key, signature), data);
  }
  EXPECT_RV(CKR_DATA_LEN_RANGE, Try(kSign, session, CKM_RSA_PKCS, pair.private_key, Pattern(246)));
  ASSERT_OK(C_VerifyInit(session, Mechanism(CKM_RSA_PKCS).get(), pair.public_key));
  EXPECT_RV(CKR_DATA_LEN_RANGE,
            C_Verify(session, Mutable(Pattern(246)), 246, Mutable(Pattern(256)), 256));
  // A DigestInfo is the same signature as the hashing mechanism's.
  const Bytes prefix = {0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1,
                        0x65, 3,    4,    2,    1, 5, 0,    4,    0x20};
  const Bytes info = Concat({prefix, Digest("SHA256", message)});
  EXPECT_EQ(Do(kSign, session, CKM_RSA_PKCS, pair.private_key, info),
            Do(kSign, session, CKM_SHA256_RSA_PKCS, pair.private_key, message));
}

TEST_F(Signing, Pkcs1InPartsWithoutAHash) {
  const KeyPair pair = GenerateRsa(session);
  const Bytes data = Pattern(100);
  EXPECT_EQ(DoInParts(kSign, session, CKM_RSA_PKCS, pair.private_key, data, 9),
            Do(kSign, session, CKM_RSA_PKCS, pair.private_key, data));
}

TEST_F(Signing, RawRsa) {
  const KeyPair pair = GenerateRsa(session);
  const Key key = PublicOf(pair);
  const Bytes short_data = Pattern(20), whole = PadLeft(Pattern(250), 256);
  for (const Bytes& data : {short_data, whole}) {
    SCOPED_TRACE(data.size());
    const Bytes signature = Do(kSign, session, CKM_RSA_X_509, pair.private_key, data);
    EXPECT_EQ(EncryptRsa(key, {RSA_NO_PADDING}, signature), PadLeft(data, 256));
    ExpectVerifies(CKM_RSA_X_509, pair.public_key, data, signature);
    EXPECT_EQ(Do(kSignRecover, session, CKM_RSA_X_509, pair.private_key, data), signature);
    EXPECT_EQ(Do(kVerifyRecover, session, CKM_RSA_X_509, pair.public_key, signature),
              PadLeft(data, 256));
  }
  EXPECT_RV(CKR_DATA_INVALID,
            Try(kSign, session, CKM_RSA_X_509, pair.private_key, Bytes(256, 0xff)));
  EXPECT_RV(CKR_DATA_LEN_RANGE,
            Try(kSign, session, CKM_RSA_X_509, pair.private_key, Bytes(257, 0)));
}

TEST_F(Signing, ARecoveredSignatureIsTheKeysOwn) {
  const KeyPair pair = GenerateRsa(session);
  EXPECT_RV(CKR_SIGNATURE_INVALID, Try(kVerifyRecover, session, CKM_RSA_PKCS, pair.public_key,
                                       PadLeft(Pattern(255), 256)));
  EXPECT_RV(CKR_SIGNATURE_LEN_RANGE,
            Try(kVerifyRecover, session, CKM_RSA_PKCS, pair.public_key, Pattern(255)));
  EXPECT_RV(CKR_SIGNATURE_INVALID,
            Try(kVerifyRecover, session, CKM_RSA_X_509, pair.public_key, Bytes(256, 0xff)));
}

TEST_F(Signing, PssWithEveryHashMaskAndSalt) {
  const KeyPair pair = GenerateRsa(session);
  const Key key = PublicOf(pair);
  for (size_t i = 0; i < std::size(kHashes); ++i) {
    const HashRow &hash = kHashes[i], &other = kHashes[(i + 2) % std::size(kHashes)];
    const Bytes digest = Digest(hash.name, message);
    const CK_ULONG longest = 256 - 2 - hash.size;
    for (const HashRow* mgf : {&hash, &other}) {
      for (CK_ULONG salt : {CK_ULONG{0}, hash.size, longest}) {
        SCOPED_TRACE(std::string(hash.name) + " " + mgf->name + " salt " + std::to_string(salt));
        const RsaUse use{RSA_PKCS1_PSS_PADDING, hash.name, mgf->name, static_cast<int>(salt)};
        const Mechanism raw = Pss(CKM_RSA_PKCS_PSS, hash, *mgf, salt),
                        hashing = Pss(kPss[i], hash, *mgf, salt);
        const Bytes signature = Do(kSign, session, hashing, pair.private_key, message);
        EXPECT_TRUE(VerifyDigest(key, use, digest, signature));
        EXPECT_TRUE(
            VerifyDigest(key, use, digest, Do(kSign, session, raw, pair.private_key, digest)));
        ExpectVerifies(raw, pair.public_key, digest, signature);
        EXPECT_OK(VerifyInParts(session, hashing, pair.public_key, message, signature, 100));
        // The salt's length is part of the signature.
        const Mechanism wrong = Pss(CKM_RSA_PKCS_PSS, hash, *mgf, salt == 0 ? 1 : salt - 1);
        EXPECT_RV(CKR_SIGNATURE_INVALID,
                  Verify(session, wrong, pair.public_key, digest, signature));
      }
    }
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
              Try(kSign, session, Pss(CKM_RSA_PKCS_PSS, hash, hash, longest + 1), pair.private_key,
                  digest));
    EXPECT_RV(CKR_DATA_LEN_RANGE, Try(kSign, session, Pss(CKM_RSA_PKCS_PSS, hash, hash, 0),
                                      pair.private_key, Pattern(hash.size + 1)));
  }
}

TEST_F(Signing, EcdsaWithEveryHash) {
  for (const CurveRow& curve : Curves()) {
    const KeyPair pair = GenerateEc(session, curve);
    const Key key = PublicOf(pair);
    for (size_t i = 0; i < std::size(kHashes); ++i) {
      SCOPED_TRACE(std::string(curve.name) + " " + kHashes[i].name);
      const Bytes signature = DoInParts(kSign, session, kEcdsa[i], pair.private_key, message, 99);
      EXPECT_TRUE(VerifyEcdsa(key, Digest(kHashes[i].name, message), signature));
      ExpectVerifies(kEcdsa[i], pair.public_key, message, signature);
    }
  }
}

TEST_F(Signing, EcdsaOfEveryLength) {
  for (const CurveRow& curve : Curves()) {
    const KeyPair pair = GenerateEc(session, curve);
    const Key key = PublicOf(pair);
    for (size_t size = 1; size <= 64; ++size) {
      SCOPED_TRACE(std::string(curve.name) + " " + std::to_string(size));
      const Bytes digest = Pattern(size);
      const Bytes signature = Do(kSign, session, CKM_ECDSA, pair.private_key, digest);
      ASSERT_EQ(signature.size(), 2 * curve.size);
      EXPECT_TRUE(VerifyEcdsa(key, digest, signature));
      EXPECT_OK(Verify(session, CKM_ECDSA, pair.public_key, digest, signature));
    }
    for (size_t size : {0, 65, 1000})
      EXPECT_RV(CKR_DATA_LEN_RANGE,
                Try(kSign, session, CKM_ECDSA, pair.private_key, Pattern(size)));
    EXPECT_TRUE(VerifyEcdsa(key, Bytes(32, 0),
                            Do(kSign, session, CKM_ECDSA, pair.private_key, Bytes(32, 0))));
  }
}

TEST_F(Signing, OpenSslsSignaturesVerify) {
  const Key rsa = NewRsa(3072);
  const CK_OBJECT_HANDLE rsa_public = Create(session, PublicTemplate(rsa));
  const Bytes digest = Digest("SHA256", message);
  EXPECT_OK(Verify(session, CKM_SHA256_RSA_PKCS, rsa_public, message,
                   SignDigest(rsa, {RSA_PKCS1_PADDING, "SHA256"}, digest)));
  EXPECT_OK(Verify(session, Pss(CKM_RSA_PKCS_PSS, kSha256, kSha1, 7), rsa_public, digest,
                   SignDigest(rsa, {RSA_PKCS1_PSS_PADDING, "SHA256", "SHA1", 7}, digest)));
  for (const CurveRow& curve : Curves()) {
    const Key ec = NewEc(curve.name);
    EXPECT_OK(Verify(session, CKM_ECDSA, Create(session, PublicTemplate(ec)), digest,
                     SignEcdsa(ec, digest)))
        << curve.name;
  }
}

// Java's are, where both halves begin with a zero.
TEST_F(Signing, AByteLessInEachHalfVerifies) {
  const KeyPair pair = GenerateEc(session, Curves()[2]);
  const Bytes data = Pattern(32);
  Bytes signature;
  do signature = Do(kSign, session, CKM_ECDSA, pair.private_key, data);
  while (signature[0] != 0 || signature[66] != 0);  // one in four
  const ByteView whole = signature;
  ExpectVerifies(CKM_ECDSA, pair.public_key, data, signature);
  ExpectVerifies(CKM_ECDSA, pair.public_key, data,
                 Concat({whole.subspan(1, 65), whole.subspan(67)}));
  for (size_t size : {0, 2, 64, 128, 129, 131, 133, 134}) {
    Bytes other = signature;
    other.resize(size);
    ASSERT_OK(C_VerifyInit(session, Mechanism(CKM_ECDSA).get(), pair.public_key));
    EXPECT_RV(CKR_SIGNATURE_LEN_RANGE,
              C_Verify(session, Mutable(data), data.size(), other.data(), other.size()));
  }
}

TEST_F(Signing, ImportedKeysSign) {
  const Key rsa = NewRsa(2048);
  const CK_OBJECT_HANDLE rsa_private = Create(session, PrivateTemplate(rsa));
  EXPECT_TRUE(VerifyDigest(rsa, {RSA_PKCS1_PADDING, "SHA256"}, Digest("SHA256", message),
                           Do(kSign, session, CKM_SHA256_RSA_PKCS, rsa_private, message)));
  EXPECT_FALSE(GetBool(session, rsa_private, CKA_LOCAL));
  EXPECT_FALSE(GetBool(session, rsa_private, CKA_NEVER_EXTRACTABLE));
  for (const CurveRow& curve : Curves()) {
    const Key ec = NewEc(curve.name);
    const CK_OBJECT_HANDLE key = Create(session, PrivateTemplate(ec).With({{CKA_TOKEN, true}}));
    EXPECT_TRUE(VerifyEcdsa(ec, Pattern(32), Do(kSign, session, CKM_ECDSA, key, Pattern(32))));
  }
}

TEST_F(Signing, MacsWithEveryHash) {
  struct Row {
    CK_MECHANISM_TYPE whole, cut;
    const char* hash;
    size_t size;
  };
  constexpr Row kRows[] = {{CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, "SHA1", 20},
                           {CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, "SHA224", 28},
                           {CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, "SHA256", 32},
                           {CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, "SHA384", 48},
                           {CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, "SHA512", 64}};
  for (size_t key_size : {1, 32, 200}) {
    const CK_OBJECT_HANDLE key = ImportSecret(session, Pattern(key_size));
    for (const Row& row : kRows) {
      SCOPED_TRACE(row.hash);
      const Bytes expected = Hmac(row.hash, Pattern(key_size), message);
      EXPECT_EQ(Do(kSign, session, row.whole, key, message), expected);
      EXPECT_EQ(DoInParts(kSign, session, row.whole, key, message, 13), expected);
      ExpectVerifies(row.whole, key, message, expected);
      for (CK_ULONG size : {CK_ULONG{1}, CK_ULONG{row.size}}) {
        const Mechanism cut(row.cut, BytesOf(size));
        const Bytes begin(expected.begin(), expected.begin() + static_cast<long>(size));
        EXPECT_EQ(Do(kSign, session, cut, key, message), begin);
        ExpectVerifies(cut, key, message, begin);
      }
      EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
                Try(kSign, session, {row.cut, BytesOf(CK_ULONG{row.size + 1})}, key, message));
    }
  }
}

TEST_F(Signing, Cmac) {
  for (size_t key_size : {16, 24, 32}) {
    const CK_OBJECT_HANDLE key = ImportAes(session, Pattern(key_size));
    const Bytes expected = AesCmac(Pattern(key_size), message);
    EXPECT_EQ(DoInParts(kSign, session, CKM_AES_CMAC, key, message, 31), expected);
    ExpectVerifies(CKM_AES_CMAC, key, message, expected);
    const Mechanism cut(CKM_AES_CMAC_GENERAL, BytesOf(CK_ULONG{8}));
    const Bytes begin(expected.begin(), expected.begin() + 8);
    EXPECT_EQ(Do(kSign, session, cut, key, message), begin);
    ExpectVerifies(cut, key, message, begin);
  }
}

}  // namespace
}  // namespace keyscope::test
