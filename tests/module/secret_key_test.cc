// Where secret keys live, and those in the TPM.
#include "tests/module/openssl.h"
#include "tests/module/operations.h"

// After the PKCS #11 header.
#include "p11/keyscope.h"

namespace keyscope::test {
namespace {

const Attributes kClosed{{CKA_TOKEN, true}, {CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false}};

class SecretKeys : public LoggedIn {
 protected:
  bool InTpm(CK_OBJECT_HANDLE key) { return GetBool(session, key, CKA_KEYSCOPE_IN_TPM); }
  CK_RV TryGenerate(CK_MECHANISM_TYPE mechanism, CK_ULONG size, Attributes attributes) {
    Attributes all = attributes.With({{CKA_VALUE_LEN, size}});
    return C_GenerateKey(session, Mechanism(mechanism).get(), all.data(), all.size(), &made);
  }
  CK_OBJECT_HANDLE Generate(CK_MECHANISM_TYPE mechanism, CK_ULONG size, Attributes attributes) {
    EXPECT_OK(TryGenerate(mechanism, size, std::move(attributes)));
    return made;
  }
  CK_OBJECT_HANDLE Copy(CK_OBJECT_HANDLE key, Attributes changes) {
    EXPECT_OK(C_CopyObject(session, key, changes.data(), changes.size(), &made));
    return made;
  }
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
};

TEST_F(SecretKeys, TheTemplateSaysWhereTheyLive) {
  for (CK_ULONG size : {16, 32}) {
    EXPECT_TRUE(InTpm(Generate(CKM_AES_KEY_GEN, size, {{CKA_TOKEN, true}})));
    EXPECT_TRUE(InTpm(ImportAes(session, Pattern(size), kClosed)));
    EXPECT_FALSE(InTpm(Generate(CKM_AES_KEY_GEN, size, {}))) << "a session key";
    EXPECT_FALSE(InTpm(Generate(CKM_AES_KEY_GEN, size, kClosed.With({{CKA_EXTRACTABLE, true}}))));
    EXPECT_FALSE(InTpm(Generate(CKM_AES_KEY_GEN, size, kClosed.With({{CKA_SENSITIVE, false}}))));
  }
  struct Row {
    CK_KEY_TYPE type;
    CK_ULONG longest;  // in the TPM
  };
  for (const Row& row : {Row{CKK_SHA_1_HMAC, 64}, Row{CKK_SHA256_HMAC, 64},
                         Row{CKK_SHA384_HMAC, 128}, Row{CKK_SHA512_HMAC, 128}}) {
    const Attributes attributes = kClosed.With({{CKA_KEY_TYPE, row.type}});
    EXPECT_TRUE(InTpm(Generate(CKM_GENERIC_SECRET_KEY_GEN, row.longest, attributes)));
    EXPECT_TRUE(InTpm(ImportSecret(session, Pattern(1), attributes)));
    EXPECT_FALSE(InTpm(ImportSecret(session, Pattern(row.longest + 1), attributes)));
  }
  for (CK_KEY_TYPE type : {CKK_GENERIC_SECRET, CKK_SHA224_HMAC})
    EXPECT_FALSE(InTpm(ImportSecret(session, Pattern(20), kClosed.With({{CKA_KEY_TYPE, type}}))));
}

TEST_F(SecretKeys, DerivedAndUnwrappedOnesTheSame) {
  const CK_OBJECT_HANDLE base = ImportSecret(session, Pattern(32), {{CKA_DERIVE, true}});
  Attributes aes = kClosed.With({{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_AES}});
  Attributes derived = aes.With({{CKA_VALUE_LEN, 16}});
  ASSERT_OK(C_DeriveKey(session, Hkdf(kSha256, true, true, {}, {}).get(), base, derived.data(),
                        derived.size(), &made));
  EXPECT_TRUE(InTpm(made));
  const Bytes value = HkdfOf("SHA256", "EXTRACT_AND_EXPAND", Pattern(32), {}, {}, 16);
  EXPECT_EQ(Do(kEncrypt, session, CKM_AES_ECB, made, Pattern(16)),
            Cipher("ECB", true, value, {}, Pattern(16)));

  Bytes wrapped = WrapAes("AES-128-WRAP", value, Pattern(32));
  ASSERT_OK(C_UnwrapKey(session, Mechanism(CKM_AES_KEY_WRAP).get(), made, wrapped.data(),
                        wrapped.size(), aes.data(), aes.size(), &made));
  EXPECT_TRUE(InTpm(made));
  EXPECT_EQ(Do(kEncrypt, session, CKM_AES_ECB, made, Pattern(16)),
            Cipher("ECB", true, Pattern(32), {}, Pattern(16)));
}

TEST_F(SecretKeys, WhatTheTpmMadeHasAllItsAttributes) {
  const CK_OBJECT_HANDLE key = Generate(CKM_AES_KEY_GEN, 32, {{CKA_TOKEN, true}});
  EXPECT_TRUE(GetBool(session, key, CKA_LOCAL));
  EXPECT_TRUE(GetBool(session, key, CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(GetBool(session, key, CKA_NEVER_EXTRACTABLE));
  EXPECT_EQ(GetUlong(session, key, CKA_VALUE_LEN), 32U);
  EXPECT_RV(CKR_ATTRIBUTE_SENSITIVE, TryGet(session, key, CKA_VALUE));
  Bytes check = Do(kEncrypt, session, CKM_AES_ECB, key, Bytes(16));
  check.resize(3);
  EXPECT_EQ(Get(session, key, CKA_CHECK_VALUE), check);
  EXPECT_EQ(Find(session, {{CKA_CHECK_VALUE, check}}), std::vector{key});
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryGenerate(CKM_AES_KEY_GEN, 16, kClosed.With({{CKA_CHECK_VALUE, Bytes(3, 1)}})));

  const CK_OBJECT_HANDLE hmac =
      ImportSecret(session, Pattern(20), kClosed.With({{CKA_KEY_TYPE, CKK_SHA256_HMAC}}));
  check = Digest("SHA1", Pattern(20));
  check.resize(3);
  EXPECT_EQ(Get(session, hmac, CKA_CHECK_VALUE), check);
}

TEST_F(SecretKeys, HmacInTheTpm) {
  const Bytes message = Pattern(5000);
  struct Row {
    CK_KEY_TYPE type;
    CK_MECHANISM_TYPE whole, cut;
    const char* hash;
  };
  for (const Row& row :
       {Row{CKK_SHA_1_HMAC, CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, "SHA1"},
        Row{CKK_SHA256_HMAC, CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, "SHA256"},
        Row{CKK_SHA384_HMAC, CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, "SHA384"},
        Row{CKK_SHA512_HMAC, CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, "SHA512"}}) {
    SCOPED_TRACE(row.hash);
    const Bytes value = Pattern(60);
    const CK_OBJECT_HANDLE key =
        ImportSecret(session, value, kClosed.With({{CKA_KEY_TYPE, row.type}}));
    for (size_t size : {0, 1, 1024, 5000}) {
      const ByteView part = ByteView(message).first(size);
      const Bytes code = Hmac(row.hash, value, part);
      EXPECT_EQ(Do(kSign, session, row.whole, key, part), code);
      EXPECT_EQ(DoInParts(kSign, session, row.whole, key, part, 700), code);
      EXPECT_OK(Verify(session, row.whole, key, part, code));
      EXPECT_RV(CKR_SIGNATURE_INVALID, Verify(session, row.whole, key, Pattern(size + 1), code));
      EXPECT_OK(
          Verify(session, {row.cut, BytesOf(CK_ULONG{10})}, key, part, ByteView(code).first(10)));
    }
    const CK_MECHANISM_TYPE other = row.whole == CKM_SHA256_HMAC ? CKM_SHA_1_HMAC : CKM_SHA256_HMAC;
    EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT, Try(kSign, session, other, key, message));
  }
}

TEST_F(SecretKeys, NothingTakesTheValueOutOfTheTpm) {
  const CK_OBJECT_HANDLE key = ImportSecret(
      session, Pattern(20), kClosed.With({{CKA_KEY_TYPE, CKK_SHA256_HMAC}, {CKA_DERIVE, true}}));
  Attributes attributes{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_VALUE_LEN, 16}};
  EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT,
            C_DeriveKey(session, Hkdf(kSha256, true, true, {}, {}).get(), key, attributes.data(),
                        attributes.size(), &made));
  ASSERT_OK(C_DigestInit(session, Mechanism(CKM_SHA256).get()));
  EXPECT_RV(CKR_KEY_INDIGESTIBLE, C_DigestKey(session, key));
  Bytes room(100);
  CK_ULONG size = room.size();
  EXPECT_RV(CKR_KEY_UNEXTRACTABLE,
            C_WrapKey(session, Mechanism(CKM_AES_KEY_WRAP_KWP).get(),
                      ImportAes(session, Pattern(16)), key, room.data(), &size));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, key, {{CKA_KEYSCOPE_IN_TPM, false}}));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, key, {{CKA_EXTRACTABLE, true}}));
}

TEST_F(SecretKeys, ACopyLivesWhereItsSourceLives) {
  const CK_OBJECT_HANDLE in_tpm = ImportAes(session, Pattern(16), kClosed),
                         in_host = ImportAes(session, Pattern(16));
  for (CK_OBJECT_HANDLE source : {in_tpm, in_host}) {
    for (bool token : {false, true}) {
      const CK_OBJECT_HANDLE copy =
          Copy(source, {{CKA_TOKEN, token}, {CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false}});
      EXPECT_EQ(InTpm(copy), source == in_tpm);
      EXPECT_EQ(Do(kEncrypt, session, CKM_AES_ECB, copy, Pattern(16)),
                Cipher("ECB", true, Pattern(16), {}, Pattern(16)));
    }
  }
}

// As does one that an older version kept.
TEST_F(SecretKeys, OneThatIsClosedLaterStaysInTheHost) {
  const CK_OBJECT_HANDLE key = ImportAes(session, Pattern(16), {{CKA_TOKEN, true}});
  ASSERT_OK(Set(session, key, {{CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false}}));
  EXPECT_FALSE(InTpm(key));
  EXPECT_EQ(Do(kEncrypt, session, CKM_AES_ECB, key, Pattern(16)),
            Cipher("ECB", true, Pattern(16), {}, Pattern(16)));
}

TEST_F(SecretKeys, TheyOutliveTheProcessAndARestartOfTheTpm) {
  const Attributes named = kClosed.With({{CKA_LABEL, "kept"}});
  ImportAes(session, Pattern(16), named);
  ImportSecret(session, Pattern(20), named.With({{CKA_KEY_TYPE, CKK_SHA256_HMAC}}));
  ASSERT_OK(C_Finalize(nullptr));
  ASSERT_OK(C_Initialize(nullptr));
  session = OpenLoggedIn();
  const auto aes = Find(session, {{CKA_LABEL, "kept"}, {CKA_KEY_TYPE, CKK_AES}}),
             hmac = Find(session, {{CKA_LABEL, "kept"}, {CKA_KEY_TYPE, CKK_SHA256_HMAC}});
  ASSERT_EQ(aes.size(), 1U);
  ASSERT_EQ(hmac.size(), 1U);
  const Bytes iv = Pattern(16), plain = Pattern(3000);
  ASSERT_OK(C_EncryptInit(session, Mechanism(CKM_AES_CBC, iv).get(), aes[0]));
  Bytes cipher(48);
  CK_ULONG size = cipher.size();
  ASSERT_OK(C_EncryptUpdate(session, Mutable(plain), 32, cipher.data(), &size));
  StopTpm();
  swtpm().Start();
  size = 16;  // the operation goes on
  ASSERT_OK(C_EncryptUpdate(session, Mutable(ByteView(plain).subspan(32)), 16, cipher.data() + 32,
                            &size));
  EXPECT_EQ(cipher, Cipher("CBC", true, Pattern(16), iv, ByteView(plain).first(48)));
  EXPECT_EQ(Do(kSign, session, CKM_SHA256_HMAC, hmac[0], plain),
            Hmac("SHA256", Pattern(20), plain));
}

TEST_F(SecretKeys, MoreOfThemThanTheTpmHasRoomFor) {
  std::vector<CK_OBJECT_HANDLE> aes, hmac;
  for (uint8_t i = 0; i < 4; ++i) {
    aes.push_back(ImportAes(session, Bytes(16, i), kClosed));
    hmac.push_back(
        ImportSecret(session, Bytes(20, i), kClosed.With({{CKA_KEY_TYPE, CKK_SHA256_HMAC}})));
  }
  for (int round = 0; round < 2; ++round)
    for (uint8_t i = 0; i < 4; ++i) {
      EXPECT_EQ(Do(kEncrypt, session, CKM_AES_ECB, aes[i], Pattern(16)),
                Cipher("ECB", true, Bytes(16, i), {}, Pattern(16)));
      EXPECT_EQ(Do(kSign, session, CKM_SHA256_HMAC, hmac[i], Pattern(2000)),
                Hmac("SHA256", Bytes(20, i), Pattern(2000)));
    }
}

}  // namespace
}  // namespace keyscope::test
