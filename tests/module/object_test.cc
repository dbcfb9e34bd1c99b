// Objects: create, read, set, copy, destroy; who sees them and how long (sections 4.4 and 5.7).
#include <algorithm>

#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

Attributes Data(std::string_view label, bool token = false) {
  return {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, token}, {CKA_LABEL, label}, {CKA_VALUE, "some data"}};
}

CK_RV CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, Attributes changes,
                 CK_OBJECT_HANDLE& copy) {
  return C_CopyObject(session, object, changes.data(), changes.size(), &copy);
}

TEST_F(LoggedIn, DataObjectsLive) {
  for (bool token : {false, true}) {
    const CK_OBJECT_HANDLE object = Create(session, Data("one", token));
    EXPECT_EQ(AsString(Get(session, object, CKA_VALUE)), "some data");
    EXPECT_EQ(GetBool(session, object, CKA_TOKEN), token);
    EXPECT_OK(Set(session, object, {{CKA_VALUE, "other data"}, {CKA_LABEL, "two"}}));
    EXPECT_EQ(AsString(Get(session, object, CKA_VALUE)), "other data");
    EXPECT_TRUE(Find(session, {{CKA_LABEL, "one"}}).empty());
    EXPECT_EQ(Find(session, {{CKA_LABEL, "two"}}), std::vector{object});
    CK_ULONG size = 0;
    EXPECT_OK(C_GetObjectSize(session, object, &size));
    EXPECT_GT(size, 0U);
    EXPECT_OK(C_DestroyObject(session, object));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session, object));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, TryGet(session, object, CKA_LABEL));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, Set(session, object, {{CKA_LABEL, "three"}}));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_GetObjectSize(session, object, &size));
  }
}

TEST_F(LoggedIn, ACertificateIsParsed) {
  const Certificate certificate = SelfSigned();
  const CK_OBJECT_HANDLE object = Create(session, {{CKA_CLASS, CKO_CERTIFICATE},
                                                   {CKA_CERTIFICATE_TYPE, CKC_X_509},
                                                   {CKA_TOKEN, true},
                                                   {CKA_SUBJECT, certificate.subject},
                                                   {CKA_VALUE, certificate.der}});
  EXPECT_EQ(Get(session, object, CKA_VALUE), certificate.der);
  EXPECT_EQ(Get(session, object, CKA_ISSUER), certificate.subject);
  EXPECT_EQ(Get(session, object, CKA_SERIAL_NUMBER), certificate.serial);
  EXPECT_EQ(Get(session, object, CKA_PUBLIC_KEY_INFO), certificate.public_key_info);
  const Bytes sha1 = Digest("SHA1", certificate.der);
  EXPECT_EQ(Get(session, object, CKA_CHECK_VALUE), Bytes(sha1.begin(), sha1.begin() + 3));
  EXPECT_EQ(GetUlong(session, object, CKA_NAME_HASH_ALGORITHM), CKM_SHA_1);
  EXPECT_OK(Set(session, object, {{CKA_ID, "id"}, {CKA_LABEL, "a certificate"}}));
  const Attributes good{{CKA_CLASS, CKO_CERTIFICATE},
                        {CKA_CERTIFICATE_TYPE, CKC_X_509},
                        {CKA_SUBJECT, certificate.subject},
                        {CKA_VALUE, certificate.der}};
  EXPECT_OK(TryCreate(session, good.With({{CKA_CERTIFICATE_CATEGORY, 3}})));
  for (CK_ATTRIBUTE_TYPE type : {CKA_CERTIFICATE_CATEGORY, CKA_JAVA_MIDP_SECURITY_DOMAIN})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, good.With({{type, 4}})));
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
            TryCreate(session, good.With({{CKA_PUBLIC_KEY_INFO, PublicKeyInfo(NewEc("P-256"))}})));
  EXPECT_EQ(Find(session, {{CKA_ID, "id"}, {CKA_CLASS, CKO_CERTIFICATE}}), std::vector{object});
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, object, {{CKA_VALUE, "other"}}));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, object, {{CKA_TRUSTED, true}}));
  EXPECT_OK(C_DestroyObject(session, object));
}

TEST_F(LoggedIn, PublicKeysGiveWhatTheyWereMadeOf) {
  const Key rsa = NewRsa(2048), ec = NewEc("P-384");
  const CK_OBJECT_HANDLE rsa_object = Create(session, PublicTemplate(rsa)),
                         ec_object = Create(session, PublicTemplate(ec));
  EXPECT_EQ(Get(session, rsa_object, CKA_PUBLIC_KEY_INFO), PublicKeyInfo(rsa));
  EXPECT_EQ(GetUlong(session, rsa_object, CKA_MODULUS_BITS), 2048U);
  EXPECT_EQ(Get(session, ec_object, CKA_PUBLIC_KEY_INFO), PublicKeyInfo(ec));
}

TEST_F(Module, AReadOnlySessionMakesSessionObjectsOnly) {
  const CK_SESSION_HANDLE ro = OpenLoggedIn(kMachineSlot, kReadOnly), rw = Open();
  const CK_OBJECT_HANDLE own = Create(ro, Data("own")), kept = Create(rw, Data("kept", true));
  EXPECT_RV(CKR_SESSION_READ_ONLY, TryCreate(ro, Data("refused", true)));
  EXPECT_RV(CKR_SESSION_READ_ONLY, Set(ro, kept, {{CKA_LABEL, "changed"}}));
  EXPECT_RV(CKR_SESSION_READ_ONLY, C_DestroyObject(ro, kept));
  CK_OBJECT_HANDLE copy;
  EXPECT_RV(CKR_SESSION_READ_ONLY, CopyObject(ro, kept, {}, copy));
  EXPECT_RV(CKR_SESSION_READ_ONLY, CopyObject(ro, own, {{CKA_TOKEN, true}}, copy));
  EXPECT_OK(CopyObject(ro, kept, {{CKA_TOKEN, false}}, copy));
  KeyPair pair;
  EXPECT_RV(CKR_SESSION_READ_ONLY,
            TryGeneratePair(ro, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}},
                            {{CKA_TOKEN, true}}, pair));
  EXPECT_OK(Set(ro, own, {{CKA_LABEL, "changed"}}));
  EXPECT_OK(C_DestroyObject(ro, own));
  EXPECT_EQ(AsString(Get(ro, kept, CKA_LABEL)), "kept");
}

TEST_F(Module, PublicSessionObjectsNeedNoLogin) {
  const CK_SESSION_HANDLE ro = Open(kMachineSlot, kReadOnly);
  Create(ro, Data("public"));
  Create(ro, PublicTemplate(NewEc("P-256")));
  EXPECT_EQ(Find(ro, {}).size(), 2U);
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, TryCreate(ro, Data("x").With({{CKA_PRIVATE, true}})));
  KeyPair pair;
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN,
            TryGeneratePair(ro, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}}, {}, pair));
}

TEST_F(LoggedIn, PrivateObjectsComeAndGoWithTheLogin) {
  const Attributes secret = Data("private").With({{CKA_PRIVATE, true}});
  const CK_OBJECT_HANDLE in_session = Create(session, secret),
                         in_token = Create(session, secret.With({{CKA_TOKEN, true}}));
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}});
  EXPECT_EQ(Find(session, {{CKA_LABEL, "private"}}).size(), 2U);
  ASSERT_OK(C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));

  ASSERT_OK(C_Logout(session));
  EXPECT_TRUE(Find(session, {{CKA_LABEL, "private"}}).empty());
  for (CK_OBJECT_HANDLE object : {in_session, in_token, pair.private_key}) {
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, TryGet(session, object, CKA_LABEL));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, Set(session, object, {{CKA_LABEL, "x"}}));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session, object));
  }
  Bytes digest = Pattern(32), room(64);
  CK_ULONG size = room.size();
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_Sign(session, digest.data(), 32, room.data(), &size));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));

  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  EXPECT_EQ(Find(session, {{CKA_LABEL, "private"}}), std::vector{Now(session, in_token)})
      << "session ones are gone";
  const CK_OBJECT_HANDLE key = Now(session, pair.private_key);
  EXPECT_EQ(Do(kSign, session, CKM_ECDSA, key, digest).size(), 64U);
  // Section 5.6.10: handles of private objects do not come back, those of public ones stay.
  for (CK_OBJECT_HANDLE object : {in_session, in_token, pair.private_key}) {
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, TryGet(session, object, CKA_LABEL));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, Set(session, object, {{CKA_LABEL, "x"}}));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session, object));
  }
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));
  EXPECT_OK(TryGet(session, pair.public_key, CKA_LABEL));
}

TEST_F(LoggedIn, SessionObjectsDieWithTheirSession) {
  const CK_SESSION_HANDLE other = Open();
  const CK_OBJECT_HANDLE theirs = Create(other, Data("theirs"));
  const KeyPair pair = GenerateEc(other);
  EXPECT_EQ(AsString(Get(session, theirs, CKA_LABEL)), "theirs") << "all sessions see them";
  EXPECT_EQ(Do(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32)).size(), 64U);
  ASSERT_OK(C_CloseSession(other));
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, TryGet(session, theirs, CKA_LABEL));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));
  EXPECT_TRUE(Find(session, {}).empty());
}

TEST_F(LoggedIn, HandlesBelongToOneSlot) {
  const CK_SESSION_HANDLE other = OpenLoggedIn(kUserSlot);
  for (bool token : {false, true}) {
    const CK_OBJECT_HANDLE mine = Create(session, Data("mine", token));
    const CK_OBJECT_HANDLE theirs = Create(other, Data("theirs", token));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, TryGet(other, mine, CKA_LABEL));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session, theirs));
    EXPECT_EQ(AsString(Get(other, theirs, CKA_LABEL)), "theirs");
    EXPECT_TRUE(Find(session, {{CKA_LABEL, "theirs"}}).empty());
  }
  const KeyPair pair = GenerateEc(other);
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));
}

TEST_F(LoggedIn, NoHandleIsUsedTwice) {
  for (bool token : {false, true}) {
    std::vector<CK_OBJECT_HANDLE> handles;
    for (int i = 0; i < 20; ++i) {
      handles.push_back(Create(session, Data("again", token)));
      if (i % 3 == 0) continue;
      EXPECT_OK(C_DestroyObject(session, handles.back()));
    }
    std::ranges::sort(handles);
    EXPECT_EQ(std::ranges::adjacent_find(handles), handles.end());
  }
}

TEST_F(LoggedIn, CopiesAreIndependent) {
  const KeyPair pair = GenerateEc(session);
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
  ASSERT_OK(
      CopyObject(session, pair.private_key, {{CKA_TOKEN, true}, {CKA_LABEL, "the copy"}}, copy));
  ASSERT_OK(C_DestroyObject(session, pair.private_key));
  const Bytes signature = Do(kSign, session, CKM_ECDSA, copy, Pattern(32));
  EXPECT_OK(Verify(session, CKM_ECDSA, pair.public_key, Pattern(32), signature));
  EXPECT_EQ(AsString(Get(session, copy, CKA_LABEL)), "the copy");
  EXPECT_TRUE(GetBool(session, copy, CKA_LOCAL));

  const CK_OBJECT_HANDLE secret = ImportAes(session, Pattern(16));
  ASSERT_OK(CopyObject(session, secret, {{CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false}}, copy));
  EXPECT_NE(Get(session, secret, CKA_UNIQUE_ID), Get(session, copy, CKA_UNIQUE_ID));
  EXPECT_RV(CKR_ATTRIBUTE_SENSITIVE, TryGet(session, copy, CKA_VALUE));
  EXPECT_EQ(Get(session, secret, CKA_VALUE), Pattern(16));
  CK_OBJECT_HANDLE back;
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, CopyObject(session, copy, {{CKA_SENSITIVE, false}}, back));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, CopyObject(session, copy, {{CKA_EXTRACTABLE, true}}, back));
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, CopyObject(session, copy, {{CKA_PRIVATE, false}}, back));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, CopyObject(session, copy, {{CKA_VALUE, Pattern(16)}}, back));
}

TEST_F(LoggedIn, WhatIsProhibitedIsRefused) {
  for (bool token : {false, true}) {
    CK_OBJECT_HANDLE copy;
    const CK_OBJECT_HANDLE fixed =
        Create(session, Data("x", token).With({{CKA_MODIFIABLE, false}}));
    EXPECT_RV(CKR_ACTION_PROHIBITED, Set(session, fixed, {{CKA_LABEL, "y"}}));
    const CK_OBJECT_HANDLE single = Create(session, Data("x", token).With({{CKA_COPYABLE, false}}));
    EXPECT_RV(CKR_ACTION_PROHIBITED, CopyObject(session, single, {}, copy));
    const CK_OBJECT_HANDLE safe =
        Create(session, Data("x", token).With({{CKA_DESTROYABLE, false}}));
    EXPECT_RV(CKR_ACTION_PROHIBITED, C_DestroyObject(session, safe));
    EXPECT_EQ(AsString(Get(session, safe, CKA_LABEL)), "x");
  }
}

// Section 5.7.5: one attribute's trouble does not keep the others back.
TEST_F(LoggedIn, ReadingGivesWhatItCan) {
  const CK_OBJECT_HANDLE key =
      ImportSecret(session, Pattern(20), {{CKA_SENSITIVE, true}, {CKA_LABEL, "a label"}});
  char label[7];
  uint8_t value[20], narrow[3];
  CK_BBOOL sensitive = CK_FALSE;
  CK_ATTRIBUTE wanted[] = {
      {CKA_VALUE, value, sizeof value},   {CKA_LABEL, label, sizeof label},
      {CKA_MODULUS, value, sizeof value}, {CKA_UNIQUE_ID, narrow, sizeof narrow},
      {CKA_SENSITIVE, &sensitive, 1},     {CKA_VALUE_LEN, nullptr, 0},
  };
  const CK_RV rv = C_GetAttributeValue(session, key, wanted, std::size(wanted));
  EXPECT_TRUE(rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
              rv == CKR_BUFFER_TOO_SMALL)
      << rv;
  for (size_t refused : {0, 2, 3})
    EXPECT_EQ(wanted[refused].ulValueLen, CK_UNAVAILABLE_INFORMATION) << refused;
  EXPECT_EQ(std::string_view(label, 7), "a label");
  EXPECT_EQ(wanted[1].ulValueLen, 7U);
  EXPECT_EQ(sensitive, CK_TRUE);
  EXPECT_EQ(wanted[5].ulValueLen, sizeof(CK_ULONG)) << "a NULL pointer asks for the size";

  const std::pair<CK_ATTRIBUTE, CK_RV> alone[] = {
      {{CKA_VALUE, nullptr, 0}, CKR_ATTRIBUTE_SENSITIVE},
      {{CKA_MODULUS, nullptr, 0}, CKR_ATTRIBUTE_TYPE_INVALID},
      {{CKA_UNIQUE_ID, narrow, 3}, CKR_BUFFER_TOO_SMALL}};
  for (auto [attribute, expected] : alone)
    EXPECT_RV(expected, C_GetAttributeValue(session, key, &attribute, 1));
  EXPECT_OK(C_GetAttributeValue(session, key, nullptr, 0));
}

TEST_F(LoggedIn, EveryPrivatePartIsSensitive) {
  const KeyPair rsa = GenerateRsa(session), ec = GenerateEc(session);
  for (CK_ATTRIBUTE_TYPE type : {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1,
                                 CKA_EXPONENT_2, CKA_COEFFICIENT})
    EXPECT_RV(CKR_ATTRIBUTE_SENSITIVE, TryGet(session, rsa.private_key, type)) << type;
  EXPECT_RV(CKR_ATTRIBUTE_SENSITIVE, TryGet(session, ec.private_key, CKA_VALUE));
}

}  // namespace
}  // namespace keyscope::test
