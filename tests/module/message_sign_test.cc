// Message-based signing and verification of version 3.0 (sections 5.14 and 5.16).
#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

class SignMessages : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    pair = GenerateEc(session);
    mac = ImportSecret(session, Pattern(32));
  }
  CK_RV Sign(ByteView data, Bytes& signature) {
    signature.assign(64, 0);
    CK_ULONG size = signature.size();
    const CK_RV rv =
        C_SignMessage(session, nullptr, 0, Mutable(data), data.size(), signature.data(), &size);
    signature.resize(rv == CKR_OK ? size : 0);
    return rv;
  }
  CK_RV Verify(ByteView data, ByteView signature) {
    return C_VerifyMessage(session, nullptr, 0, Mutable(data), data.size(), Mutable(signature),
                           signature.size());
  }
  const Mechanism ecdsa{CKM_ECDSA_SHA256}, hmac{CKM_SHA256_HMAC};
  KeyPair pair;
  CK_OBJECT_HANDLE mac = CK_INVALID_HANDLE;
};

TEST_F(SignMessages, ManyUnderOneKey) {
  ASSERT_OK(C_MessageSignInit(session, ecdsa.get(), pair.private_key));
  ASSERT_OK(C_MessageVerifyInit(session, ecdsa.get(), pair.public_key));
  const Key key = FromPublicKeyInfo(Get(session, pair.public_key, CKA_PUBLIC_KEY_INFO));
  for (size_t size : {0, 1, 100}) {
    const Bytes data = Pattern(size);
    Bytes signature;
    ASSERT_OK(Sign(data, signature));
    EXPECT_TRUE(VerifyEcdsa(key, Digest("SHA256", data), signature));
    EXPECT_OK(Verify(data, signature));
    EXPECT_RV(CKR_SIGNATURE_LEN_RANGE, Verify(data, ByteView(signature).first(63)));
    EXPECT_RV(CKR_SIGNATURE_INVALID, Verify(Pattern(size + 1), signature));
  }
  EXPECT_OK(C_MessageSignFinal(session));
  EXPECT_OK(C_MessageVerifyFinal(session));
  Bytes signature;
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, Sign(Pattern(5), signature));
}

TEST_F(SignMessages, InParts) {
  ASSERT_OK(C_MessageSignInit(session, hmac.get(), mac));
  ASSERT_OK(C_MessageVerifyInit(session, hmac.get(), mac));
  const Bytes data = Pattern(40), expected = Hmac("SHA256", Pattern(32), data);
  Bytes signature(32);
  CK_ULONG size = 0;
  for (int message = 0; message < 2; ++message) {
    ASSERT_OK(C_SignMessageBegin(session, nullptr, 0));
    EXPECT_RV(CKR_OPERATION_ACTIVE, C_SignMessageBegin(session, nullptr, 0));
    ASSERT_OK(C_SignMessageNext(session, nullptr, 0, Mutable(data), 30, nullptr, nullptr));
    ASSERT_OK(C_SignMessageNext(session, nullptr, 0, Mutable(data) + 30, 10, nullptr, &size));
    EXPECT_EQ(size, 32U);
    size = 31;
    EXPECT_RV(CKR_BUFFER_TOO_SMALL, C_SignMessageNext(session, nullptr, 0, Mutable(data) + 30, 10,
                                                      signature.data(), &size));
    ASSERT_OK(
        C_SignMessageNext(session, nullptr, 0, Mutable(data) + 30, 10, signature.data(), &size));
    EXPECT_EQ(signature, expected);
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
              C_SignMessageNext(session, nullptr, 0, nullptr, 0, signature.data(), &size));

    ASSERT_OK(C_VerifyMessageBegin(session, nullptr, 0));
    ASSERT_OK(C_VerifyMessageNext(session, nullptr, 0, Mutable(data), 7, nullptr, 0));
    ASSERT_OK(
        C_VerifyMessageNext(session, nullptr, 0, Mutable(data) + 7, 33, signature.data(), 32));
  }
  ASSERT_OK(C_VerifyMessageBegin(session, nullptr, 0));
  EXPECT_RV(CKR_SIGNATURE_INVALID,
            C_VerifyMessageNext(session, nullptr, 0, Mutable(data), 7, signature.data(), 32));
}

TEST_F(SignMessages, OneCommandEach) {
  ASSERT_OK(C_MessageSignInit(session, ecdsa.get(), pair.private_key));
  Bytes signature;
  ASSERT_OK(Sign(Pattern(5), signature));
  EXPECT_EQ(Commands([&] { EXPECT_OK(Sign(Pattern(6), signature)); }), 1);
}

TEST_F(SignMessages, WhatIsRefused) {
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_SignMessageBegin(session, nullptr, 0));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_MessageSignInit(session, nullptr, pair.private_key));
  EXPECT_RV(CKR_MECHANISM_INVALID,
            C_MessageSignInit(session, Mechanism(CKM_AES_GCM).get(), pair.private_key));
  EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
            C_MessageSignInit(session, Mechanism(CKM_ECDSA, Pattern(3)).get(), pair.private_key));
  EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT,
            C_MessageSignInit(session, Mechanism(CKM_SHA256_RSA_PKCS).get(), pair.private_key));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, C_MessageSignInit(session, ecdsa.get(), 0));
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
            C_MessageSignInit(
                session, ecdsa.get(),
                GenerateEc(session, P256(), {{CKA_ALWAYS_AUTHENTICATE, true}}).private_key));
  ASSERT_OK(C_MessageSignInit(session, ecdsa.get(), pair.private_key));
  EXPECT_RV(CKR_OPERATION_ACTIVE, C_MessageSignInit(session, ecdsa.get(), pair.private_key));
  CK_ULONG size = 64;
  Bytes room(64);
  EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
            C_SignMessage(session, room.data(), 1, room.data(), 5, room.data(), &size));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_SignMessage(session, nullptr, 0, nullptr, 5, room.data(), &size));
  EXPECT_RV(CKR_ARGUMENTS_BAD,
            C_SignMessage(session, nullptr, 0, room.data(), 5, room.data(), nullptr));
  // None of it has ended what was begun; C_SessionCancel does, and a logout.
  Bytes signature;
  EXPECT_OK(Sign(Pattern(5), signature));
  EXPECT_OK(C_SessionCancel(session, CKF_MESSAGE_SIGN));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_MessageSignFinal(session));
  ASSERT_OK(C_MessageSignInit(session, ecdsa.get(), pair.private_key));
  ASSERT_OK(C_Logout(session));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, Sign(Pattern(5), signature));
}

}  // namespace
}  // namespace keyscope::test
