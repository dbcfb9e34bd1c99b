// What a key may be used for: class and type, usage attributes, allowed mechanisms, a login for
// each use.
#include "tests/module/usual.h"

namespace keyscope::test {
namespace {

class KeyUse : public LoggedIn {
 protected:
  CK_RV Init(const OperationRow& row, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) {
    const CK_RV rv = row.init(session, Usual(type).get(), key);
    C_SessionCancel(session, row.flag);
    return rv;
  }
  CK_RV InitVerify(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) {
    const CK_RV rv = C_VerifyInit(session, Usual(type).get(), key);
    C_SessionCancel(session, CKF_VERIFY);
    return rv;
  }
};

TEST_F(KeyUse, PublicKeysDoNotSignNorPrivateOnesVerify) {
  const KeyPair rsa = GenerateRsa(session), ec = GenerateEc(session);
  auto expect_refused = [](CK_RV rv) {
    EXPECT_TRUE(rv == CKR_KEY_FUNCTION_NOT_PERMITTED || rv == CKR_KEY_TYPE_INCONSISTENT) << rv;
  };
  expect_refused(Init(kSign, CKM_ECDSA, ec.public_key));
  expect_refused(InitVerify(CKM_ECDSA, ec.private_key));
  expect_refused(Init(kSign, CKM_SHA256_RSA_PKCS, rsa.public_key));
  expect_refused(Init(kDecrypt, CKM_RSA_PKCS, rsa.public_key));
  expect_refused(Init(kEncrypt, CKM_RSA_PKCS, rsa.private_key));
  expect_refused(Init(kSignRecover, CKM_RSA_PKCS, rsa.public_key));
  expect_refused(Init(kVerifyRecover, CKM_RSA_PKCS, rsa.private_key));
}

TEST_F(KeyUse, TheTypeMustFit) {
  const UsualKeys keys(session);
  const CK_MECHANISM_TYPE signing[] = {CKM_SHA256_RSA_PKCS, CKM_ECDSA, CKM_AES_CMAC,
                                       CKM_SHA256_HMAC};
  for (CK_MECHANISM_TYPE mechanism : signing)
    for (CK_MECHANISM_TYPE other : signing)
      EXPECT_RV(mechanism == other ? CKR_OK : CKR_KEY_TYPE_INCONSISTENT,
                Init(kSign, mechanism, keys.For(other).private_key))
          << mechanism << " " << other;
  const CK_OBJECT_HANDLE sha1 =
      ImportSecret(session, Pattern(20), {{CKA_KEY_TYPE, CKK_SHA_1_HMAC}});
  EXPECT_OK(Init(kSign, CKM_SHA_1_HMAC, sha1));
  EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT, Init(kSign, CKM_SHA256_HMAC, sha1));
}

TEST_F(KeyUse, EachUsageIsForbiddenByItsAttribute) {
  const KeyPair rsa = GenerateRsa(session);
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16));
  struct Row {
    const OperationRow* operation;
    CK_MECHANISM_TYPE mechanism;
    CK_OBJECT_HANDLE key;
  };
  for (const Row& row :
       {Row{&kSign, CKM_SHA256_RSA_PKCS, rsa.private_key},
        Row{&kDecrypt, CKM_RSA_PKCS, rsa.private_key},
        Row{&kSignRecover, CKM_RSA_PKCS, rsa.private_key},
        Row{&kEncrypt, CKM_RSA_PKCS, rsa.public_key},
        Row{&kVerifyRecover, CKM_RSA_PKCS, rsa.public_key}, Row{&kEncrypt, CKM_AES_ECB, aes},
        Row{&kDecrypt, CKM_AES_ECB, aes}, Row{&kSign, CKM_AES_CMAC, aes}}) {
    SCOPED_TRACE(row.operation->name);
    EXPECT_OK(Init(*row.operation, row.mechanism, row.key));
    ASSERT_OK(Set(session, row.key, {{row.operation->usage, false}}));
    EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED, Init(*row.operation, row.mechanism, row.key));
  }
  for (auto [key, type] : {std::pair{rsa.public_key, CKM_RSA_PKCS}, std::pair{aes, CKM_AES_CMAC}}) {
    EXPECT_OK(InitVerify(type, key));
    ASSERT_OK(Set(session, key, {{CKA_VERIFY, false}}));
    EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED, InitVerify(type, key));
  }
}

// In one module this drove the TPM into failure mode: refused before the TPM sees it.
TEST_F(KeyUse, ASignOnlyKeyDoesNotDecrypt) {
  const KeyPair pair = GenerateRsa(session, 2048, {{CKA_DECRYPT, false}, {CKA_TOKEN, true}});
  EXPECT_EQ(Commands([&] {
              EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
                        Init(kDecrypt, CKM_RSA_PKCS, pair.private_key));
            }),
            0);
  EXPECT_EQ(Do(kSign, session, CKM_SHA256_RSA_PKCS, pair.private_key, Pattern(9)).size(), 256U);
}

TEST_F(KeyUse, AllowedMechanisms) {
  const Bytes only_sha256 = BytesOf(CKM_ECDSA_SHA256);
  const KeyPair pair =
      GenerateEc(session, P256(), {{CKA_ALLOWED_MECHANISMS, only_sha256}, {CKA_TOKEN, true}});
  EXPECT_EQ(Get(session, pair.private_key, CKA_ALLOWED_MECHANISMS), only_sha256);
  EXPECT_OK(Init(kSign, CKM_ECDSA_SHA256, pair.private_key));
  EXPECT_RV(CKR_MECHANISM_INVALID, Init(kSign, CKM_ECDSA, pair.private_key));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
            Set(session, pair.private_key, {{CKA_ALLOWED_MECHANISMS, BytesOf(CKM_ECDSA)}}));
  // Never empty (NEEDS.md, row 20): where none were given, all that fit the key.
  const Bytes all = Get(session, GenerateEc(session).private_key, CKA_ALLOWED_MECHANISMS);
  EXPECT_GT(all.size(), sizeof(CK_MECHANISM_TYPE));
  // And no other.
  EXPECT_EQ(Get(session,
                Create(session, {{CKA_CLASS, CKO_SECRET_KEY},
                                 {CKA_KEY_TYPE, CKK_SHA256_HMAC},
                                 {CKA_VALUE, Pattern(32)}}),
                CKA_ALLOWED_MECHANISMS)
                .size(),
            4 * sizeof(CK_MECHANISM_TYPE))
      << "two HMACs, HKDF and the counter KDF";
}

TEST_F(KeyUse, StickyAttributes) {
  const CK_OBJECT_HANDLE key = ImportSecret(session, Pattern(16), {{CKA_TOKEN, true}});
  ASSERT_OK(Set(session, key,
                {{CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false}, {CKA_WRAP_WITH_TRUSTED, true}}));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, key, {{CKA_SENSITIVE, false}}));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, key, {{CKA_EXTRACTABLE, true}}));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, key, {{CKA_WRAP_WITH_TRUSTED, false}}));
  EXPECT_RV(CKR_ATTRIBUTE_SENSITIVE, TryGet(session, key, CKA_VALUE));
  // All or nothing.
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
            Set(session, key, {{CKA_LABEL, "new"}, {CKA_SENSITIVE, false}}));
  EXPECT_TRUE(Get(session, key, CKA_LABEL).empty());
}

class AlwaysAuthenticate : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    pair = GenerateEc(session, P256(), {{CKA_ALWAYS_AUTHENTICATE, true}, {CKA_TOKEN, true}});
    ASSERT_TRUE(GetBool(session, pair.private_key, CKA_ALWAYS_AUTHENTICATE));
  }
  CK_RV Sign() {
    Bytes digest = Pattern(32), signature(64);
    CK_ULONG size = signature.size();
    return C_Sign(session, digest.data(), digest.size(), signature.data(), &size);
  }
  CK_RV Init() { return C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key); }
  KeyPair pair;
};

TEST_F(AlwaysAuthenticate, EachUseNeedsItsLogin) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(Init());
    EXPECT_RV(CKR_USER_NOT_LOGGED_IN, Sign());
    ASSERT_OK(Init());
    ASSERT_OK(Login(session, CKU_CONTEXT_SPECIFIC, kUserPin));
    EXPECT_OK(Sign());
  }
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, Login(session, CKU_CONTEXT_SPECIFIC, kUserPin));
}

// What begins and ends in one call has no place for that login.
TEST_F(AlwaysAuthenticate, NeitherUnwrapsNorDerives) {
  const KeyPair rsa = GenerateRsa(session, 2048, {{CKA_ALWAYS_AUTHENTICATE, true}});
  const KeyPair ec = GenerateEc(
      session, P256(), {{CKA_ALWAYS_AUTHENTICATE, true}, {CKA_DERIVE, true}}, {{CKA_DERIVE, true}});
  Bytes wrapped = Do(kEncrypt, session, CKM_RSA_PKCS, rsa.public_key, Pattern(16));
  Attributes secret{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_GENERIC_SECRET}};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
            C_UnwrapKey(session, Mechanism(CKM_RSA_PKCS).get(), rsa.private_key, wrapped.data(),
                        wrapped.size(), secret.data(), secret.size(), &key));
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
            C_DeriveKey(session, Ecdh(CKD_NULL, RawPoint(NewEc("P-256"))).get(), ec.private_key,
                        secret.data(), secret.size(), &key));
}

// An error ends both operations of a dual function, before anything is given out.
TEST_F(AlwaysAuthenticate, ADualFunctionSignsNothing) {
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16));
  ASSERT_OK(C_SignInit(session, Mechanism(CKM_ECDSA_SHA256).get(), pair.private_key));
  ASSERT_OK(C_EncryptInit(session, Mechanism(CKM_AES_CBC, Pattern(16)).get(), aes));
  Bytes part = Pattern(32), room(32);
  CK_ULONG size = room.size();
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN,
            C_SignEncryptUpdate(session, part.data(), part.size(), room.data(), &size));
  EXPECT_EQ(room, Bytes(32));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_EncryptFinal(session, room.data(), &size));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_SignUpdate(session, part.data(), part.size()));
}

TEST_F(AlwaysAuthenticate, AWrongPinAuthenticatesNothing) {
  ASSERT_OK(Init());
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_CONTEXT_SPECIFIC, "not this"));
  EXPECT_EQ(TriesUsed(), 1U);
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_CONTEXT_SPECIFIC, kSoPin));
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, Sign());
  EXPECT_OK(TryGet(session, pair.private_key, CKA_LABEL)) << "the login itself stands";
}

// It is of the one that was begun last.
TEST_F(AlwaysAuthenticate, OneLoginIsForOneUse) {
  const KeyPair rsa = GenerateRsa(session, 2048, {{CKA_ALWAYS_AUTHENTICATE, true}});
  ASSERT_OK(Init());
  ASSERT_OK(C_SignRecoverInit(session, Mechanism(CKM_RSA_PKCS).get(), rsa.private_key));
  ASSERT_OK(Login(session, CKU_CONTEXT_SPECIFIC, kUserPin));
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, Sign());
  Bytes recovered(256);
  CK_ULONG size = recovered.size();
  EXPECT_OK(C_SignRecover(session, Mutable(Pattern(20)), 20, recovered.data(), &size));
  ASSERT_OK(Init());
  ASSERT_OK(Login(session, CKU_CONTEXT_SPECIFIC, kUserPin));
  EXPECT_OK(Sign());
}

TEST_F(AlwaysAuthenticate, OneSessionsLoginIsNotAnothers) {
  const CK_SESSION_HANDLE other = Open();
  ASSERT_OK(Init());
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, Login(other, CKU_CONTEXT_SPECIFIC, kUserPin));
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, Sign());
}

}  // namespace
}  // namespace keyscope::test
