// RSA encryption and decryption, digests and the dual functions, against OpenSSL.
#include <openssl/rsa.h>

#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

using Crypt = LoggedIn;

TEST_F(Crypt, Digests) {
  for (const HashRow& hash : kHashes) {
    for (size_t size : {0, 1, 1000}) {
      SCOPED_TRACE(std::string(hash.name) + " " + std::to_string(size));
      const Bytes expected = Digest(hash.name, Pattern(size));
      EXPECT_EQ(Do(kDigest, session, hash.mechanism, 0, Pattern(size)), expected);
      EXPECT_EQ(DoInParts(kDigest, session, hash.mechanism, 0, Pattern(size), 7), expected);
    }
  }
}

TEST_F(Crypt, DigestsOfKeys) {
  const CK_OBJECT_HANDLE open = ImportSecret(session, Pattern(30));
  ASSERT_OK(C_DigestInit(session, Mechanism(CKM_SHA256).get()));
  ASSERT_OK(C_DigestUpdate(session, Mutable("ab"), 2));
  ASSERT_OK(C_DigestKey(session, open));
  Bytes digest(32);
  CK_ULONG size = digest.size();
  ASSERT_OK(C_DigestFinal(session, digest.data(), &size));
  EXPECT_EQ(digest, Digest("SHA256", Concat({AsBytes("ab"), Pattern(30)})));

  const CK_OBJECT_HANDLE closed = ImportSecret(session, Pattern(30), {{CKA_EXTRACTABLE, false}});
  const std::pair<CK_OBJECT_HANDLE, CK_RV> refused[] = {
      {closed, CKR_KEY_INDIGESTIBLE},
      {0, CKR_KEY_HANDLE_INVALID},
      {GenerateEc(session).private_key, CKR_KEY_INDIGESTIBLE}};
  for (auto [key, expected] : refused) {
    ASSERT_OK(C_DigestInit(session, Mechanism(CKM_SHA256).get()));
    EXPECT_RV(expected, C_DigestKey(session, key));
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_DigestUpdate(session, Mutable("ab"), 2));
  }
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_DigestKey(session, open));
}

TEST_F(Crypt, RsaPkcs1) {
  const KeyPair pair = GenerateRsa(session);
  const Key key = FromPublicKeyInfo(Get(session, pair.public_key, CKA_PUBLIC_KEY_INFO));
  for (size_t size : {0, 1, 32, 245}) {
    SCOPED_TRACE(size);
    const Bytes plain = Pattern(size);
    EXPECT_EQ(Do(kDecrypt, session, CKM_RSA_PKCS, pair.private_key,
                 EncryptRsa(key, {RSA_PKCS1_PADDING}, plain)),
              plain);
    const Bytes cipher = DoInParts(kEncrypt, session, CKM_RSA_PKCS, pair.public_key, plain, 100);
    EXPECT_EQ(DoInParts(kDecrypt, session, CKM_RSA_PKCS, pair.private_key, cipher, 100), plain);
  }
  EXPECT_RV(CKR_DATA_LEN_RANGE,
            Try(kEncrypt, session, CKM_RSA_PKCS, pair.public_key, Pattern(246)));
  for (size_t size : {0, 255, 257})
    EXPECT_RV(CKR_ENCRYPTED_DATA_LEN_RANGE,
              Try(kDecrypt, session, CKM_RSA_PKCS, pair.private_key, Pattern(size)));
  EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID,
            Try(kDecrypt, session, CKM_RSA_PKCS, pair.private_key, PadLeft(Pattern(255), 256)));
  EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID,
            Try(kDecrypt, session, CKM_RSA_PKCS, pair.private_key, Bytes(256, 0xff)));
}

TEST_F(Crypt, RsaOaepWithEveryHashAndMask) {
  const KeyPair pair = GenerateRsa(session);
  const Key key = FromPublicKeyInfo(Get(session, pair.public_key, CKA_PUBLIC_KEY_INFO));
  for (const HashRow& hash : kHashes) {
    for (const HashRow& mgf : kHashes) {
      const Bytes label = Pattern(&hash == &mgf ? 0 : 9), plain = Pattern(33);
      SCOPED_TRACE(std::string(hash.name) + " " + mgf.name);
      const RsaUse use{RSA_PKCS1_OAEP_PADDING, hash.name, mgf.name, 0, label};
      const Mechanism mechanism = Oaep(hash, mgf, label);
      const Bytes cipher = EncryptRsa(key, use, plain);
      EXPECT_EQ(Do(kDecrypt, session, mechanism, pair.private_key, cipher), plain);
      const Bytes ours = Do(kEncrypt, session, mechanism, pair.public_key, plain);
      EXPECT_EQ(Do(kDecrypt, session, mechanism, pair.private_key, ours), plain);
      EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID,
                Try(kDecrypt, session, Oaep(hash, mgf, Pattern(10)), pair.private_key, cipher));
    }
  }
  const Bytes longest = Pattern(256 - 2 * 32 - 2);
  const Mechanism sha256 = Oaep(kSha256, kSha256);
  EXPECT_EQ(Do(kDecrypt, session, sha256, pair.private_key,
               Do(kEncrypt, session, sha256, pair.public_key, longest)),
            longest);
  EXPECT_RV(CKR_DATA_LEN_RANGE,
            Try(kEncrypt, session, sha256, pair.public_key, Pattern(longest.size() + 1)));
}

TEST_F(Crypt, OpenSslReadsWhatTheModuleEncrypts) {
  const Key key = NewRsa(2048);
  const CK_OBJECT_HANDLE object = Create(session, PublicTemplate(key));
  const Bytes plain = Pattern(40);
  EXPECT_EQ(
      DecryptRsa(key, {RSA_PKCS1_PADDING}, Do(kEncrypt, session, CKM_RSA_PKCS, object, plain)),
      plain);
  EXPECT_EQ(
      DecryptRsa(key, {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA1", 0, AsBytes("label")},
                 Do(kEncrypt, session, Oaep(kSha256, kSha1, AsBytes("label")), object, plain)),
      plain);
  EXPECT_EQ(DecryptRsa(key, {RSA_NO_PADDING}, Do(kEncrypt, session, CKM_RSA_X_509, object, plain)),
            PadLeft(plain, 256));
}

TEST_F(Crypt, RawRsa) {
  const KeyPair pair = GenerateRsa(session);
  const Bytes plain = PadLeft(Pattern(255), 256);
  const Bytes cipher = Do(kEncrypt, session, CKM_RSA_X_509, pair.public_key, plain);
  EXPECT_EQ(Do(kDecrypt, session, CKM_RSA_X_509, pair.private_key, cipher), plain);
  EXPECT_RV(CKR_DATA_INVALID,
            Try(kEncrypt, session, CKM_RSA_X_509, pair.public_key, Bytes(256, 0xff)));
  EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID,
            Try(kDecrypt, session, CKM_RSA_X_509, pair.private_key, Bytes(256, 0xff)));
}

// A result that waits for room is not added to.
TEST_F(Crypt, AfterAShortFinalNothingMoreIsTaken) {
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16));
  const Mechanism pad(CKM_AES_CBC_PAD, Pattern(16));
  Bytes cipher = Do(kEncrypt, session, pad, aes, Pattern(24)), room(64);
  ASSERT_OK(C_DecryptInit(session, pad.get(), aes));
  CK_ULONG size = room.size();
  ASSERT_OK(C_DecryptUpdate(session, cipher.data(), cipher.size(), room.data(), &size));
  size = 0;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, C_DecryptFinal(session, room.data(), &size));
  size = room.size();
  EXPECT_RV(CKR_OPERATION_ACTIVE, C_DecryptUpdate(session, cipher.data(), 16, room.data(), &size));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_DecryptFinal(session, room.data(), &size));
}

// Section 5.17: two operations over the same data.
TEST_F(Crypt, DualFunctions) {
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16)),
                         mac = ImportSecret(session, Pattern(20));
  const Mechanism cbc(CKM_AES_CBC, Pattern(16)), hmac(CKM_SHA256_HMAC);
  const Bytes plain = Pattern(64), cipher = Cipher("CBC", true, Pattern(16), Pattern(16), plain);
  Bytes room(64), end(64);
  CK_ULONG size = room.size(), end_size = end.size();

  ASSERT_OK(C_DigestInit(session, Mechanism(CKM_SHA256).get()));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            C_DigestEncryptUpdate(session, Mutable(plain), 64, room.data(), &size));
  ASSERT_OK(C_EncryptInit(session, cbc.get(), aes));
  size = 63;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL,
            C_DigestEncryptUpdate(session, Mutable(plain), 64, room.data(), &size));
  ASSERT_OK(C_DigestEncryptUpdate(session, Mutable(plain), 64, room.data(), &size));
  EXPECT_EQ(room, cipher);
  ASSERT_OK(C_EncryptFinal(session, end.data(), &end_size));
  end_size = 32;
  ASSERT_OK(C_DigestFinal(session, end.data(), &end_size));
  EXPECT_EQ(Bytes(end.begin(), end.begin() + 32), Digest("SHA256", plain));

  ASSERT_OK(C_SignInit(session, hmac.get(), mac));
  ASSERT_OK(C_EncryptInit(session, cbc.get(), aes));
  ASSERT_OK(C_SignEncryptUpdate(session, Mutable(plain), 64, room.data(), &size));
  ASSERT_OK(C_EncryptFinal(session, end.data(), &end_size));
  end_size = 32;
  ASSERT_OK(C_SignFinal(session, end.data(), &end_size));
  const Bytes expected = Hmac("SHA256", Pattern(20), plain);
  EXPECT_EQ(Bytes(end.begin(), end.begin() + 32), expected);

  // In its place: what is signed is the plaintext.
  ASSERT_OK(C_SignInit(session, hmac.get(), mac));
  ASSERT_OK(C_EncryptInit(session, cbc.get(), aes));
  Bytes in_place = plain;
  ASSERT_OK(C_SignEncryptUpdate(session, in_place.data(), 64, in_place.data(), &size));
  EXPECT_EQ(in_place, cipher);
  ASSERT_OK(C_EncryptFinal(session, end.data(), &end_size));
  end_size = 32;
  ASSERT_OK(C_SignFinal(session, end.data(), &end_size));
  EXPECT_EQ(Bytes(end.begin(), end.begin() + 32), expected);

  ASSERT_OK(C_VerifyInit(session, hmac.get(), mac));
  ASSERT_OK(C_DecryptInit(session, cbc.get(), aes));
  ASSERT_OK(C_DecryptVerifyUpdate(session, Mutable(cipher), 64, room.data(), &size));
  EXPECT_EQ(room, plain);
  ASSERT_OK(C_DecryptFinal(session, end.data(), &end_size));
  ASSERT_OK(C_VerifyFinal(session, Mutable(expected), 32));

  ASSERT_OK(C_DigestInit(session, Mechanism(CKM_SHA256).get()));
  ASSERT_OK(C_DecryptInit(session, cbc.get(), aes));
  ASSERT_OK(C_DecryptDigestUpdate(session, Mutable(cipher), 64, room.data(), &size));
  ASSERT_OK(C_DecryptFinal(session, end.data(), &end_size));
  end_size = 32;
  ASSERT_OK(C_DigestFinal(session, end.data(), &end_size));
  EXPECT_EQ(Bytes(end.begin(), end.begin() + 32), Digest("SHA256", plain));
}

TEST_F(Crypt, Random) {
  Bytes one(1000), two(1000);
  ASSERT_OK(C_SeedRandom(session, one.data(), one.size()));
  ASSERT_OK(C_GenerateRandom(session, one.data(), one.size()));
  ASSERT_OK(C_GenerateRandom(session, two.data(), two.size()));
  EXPECT_NE(one, two);
  EXPECT_OK(C_GenerateRandom(session, nullptr, 0));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GenerateRandom(session, nullptr, 1));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GenerateRandom(session, one.data(), ~CK_ULONG{0}));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_SeedRandom(session, nullptr, 1));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_SeedRandom(session, one.data(), ~CK_ULONG{0}));
}

}  // namespace
}  // namespace keyscope::test
