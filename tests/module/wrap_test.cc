// Wrapping and unwrapping (section 5.18), against OpenSSL.
#include <openssl/rsa.h>

#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

const Attributes kUnwrapped{
    {CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_GENERIC_SECRET}, {CKA_SENSITIVE, false}};

class Wrapping : public LoggedIn {
 protected:
  CK_RV TryWrap(const Mechanism& mechanism, CK_OBJECT_HANDLE wrapper, CK_OBJECT_HANDLE key) {
    wrapped.assign(4096, 0);
    CK_ULONG size = wrapped.size();
    const CK_RV rv = C_WrapKey(session, mechanism.get(), wrapper, key, wrapped.data(), &size);
    if (rv == CKR_OK) wrapped.resize(size);
    return rv;
  }
  CK_RV TryUnwrap(const Mechanism& mechanism, CK_OBJECT_HANDLE unwrapper, ByteView data,
                  Attributes attributes) {
    unwrapped = CK_INVALID_HANDLE;
    return C_UnwrapKey(session, mechanism.get(), unwrapper, Mutable(data), data.size(),
                       attributes.data(), attributes.size(), &unwrapped);
  }
  Bytes wrapped;
  CK_OBJECT_HANDLE unwrapped = CK_INVALID_HANDLE;
};

TEST_F(Wrapping, AesKeyWrap) {
  for (size_t size : {16, 24, 32}) {
    const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(size));
    const std::string name = "AES-" + std::to_string(size * 8);
    for (size_t length : {1, 8, 16, 20, 32, 100}) {
      SCOPED_TRACE(name + " " + std::to_string(length));
      const CK_OBJECT_HANDLE key = ImportSecret(session, Pattern(length));
      ASSERT_OK(TryWrap(CKM_AES_KEY_WRAP_KWP, wrapper, key));
      EXPECT_EQ(wrapped, WrapAes((name + "-WRAP-PAD").c_str(), Pattern(size), Pattern(length)));
      ASSERT_OK(TryUnwrap(CKM_AES_KEY_WRAP_KWP, wrapper, wrapped, kUnwrapped));
      EXPECT_EQ(Get(session, unwrapped, CKA_VALUE), Pattern(length));
      if (length % 8 != 0 || length < 16) {
        EXPECT_RV(CKR_KEY_SIZE_RANGE, TryWrap(CKM_AES_KEY_WRAP, wrapper, key));
        continue;
      }
      ASSERT_OK(TryWrap(CKM_AES_KEY_WRAP, wrapper, key));
      EXPECT_EQ(wrapped, WrapAes((name + "-WRAP").c_str(), Pattern(size), Pattern(length)));
      ASSERT_OK(TryUnwrap(CKM_AES_KEY_WRAP, wrapper, wrapped, kUnwrapped));
      EXPECT_EQ(Get(session, unwrapped, CKA_VALUE), Pattern(length));
    }
  }
}

TEST_F(Wrapping, WhatIsNoKeyOfThatType) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(32));
  const Attributes aes = kUnwrapped.With({{CKA_KEY_TYPE, CKK_AES}});
  for (size_t length : {1, 8, 20, 100})
    EXPECT_RV(CKR_WRAPPED_KEY_INVALID,
              TryUnwrap(CKM_AES_KEY_WRAP_KWP, wrapper,
                        WrapAes("AES-256-WRAP-PAD", Pattern(32), Pattern(length)), aes));
  EXPECT_RV(CKR_WRAPPED_KEY_LEN_RANGE,
            TryUnwrap(CKM_AES_KEY_WRAP, wrapper, Pattern(16), kUnwrapped));
}

TEST_F(Wrapping, WithAnRsaKey) {
  const KeyPair pair = GenerateRsa(session);
  const Key key = FromPublicKeyInfo(Get(session, pair.public_key, CKA_PUBLIC_KEY_INFO));
  const CK_OBJECT_HANDLE secret = ImportAes(session, Pattern(32));
  const std::pair<Mechanism, RsaUse> uses[] = {
      {CKM_RSA_PKCS, {RSA_PKCS1_PADDING}},
      {Oaep(kSha256, kSha1, AsBytes("l")),
       {RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA1", 0, AsBytes("l")}}};
  for (const auto& [mechanism, use] : uses) {
    ASSERT_OK(TryWrap(mechanism, pair.public_key, secret));
    ASSERT_OK(TryUnwrap(mechanism, pair.private_key, wrapped, kUnwrapped));
    EXPECT_EQ(Get(session, unwrapped, CKA_VALUE), Pattern(32));
    ASSERT_OK(TryUnwrap(mechanism, pair.private_key, EncryptRsa(key, use, Pattern(16)),
                        kUnwrapped.With({{CKA_KEY_TYPE, CKK_AES}})));
    EXPECT_EQ(Do(kEncrypt, session, CKM_AES_ECB, unwrapped, Pattern(16)),
              Cipher("ECB", true, Pattern(16), {}, Pattern(16)));
    EXPECT_RV(CKR_WRAPPED_KEY_LEN_RANGE,
              TryUnwrap(mechanism, pair.private_key, Pattern(255), kUnwrapped));
    EXPECT_RV(CKR_WRAPPED_KEY_INVALID,
              TryUnwrap(mechanism, pair.private_key, PadLeft(Pattern(255), 256), kUnwrapped));
  }
  EXPECT_RV(CKR_KEY_SIZE_RANGE,
            TryWrap(CKM_RSA_PKCS, pair.public_key, ImportSecret(session, Pattern(246))));
}

TEST_F(Wrapping, WithACipher) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(16)),
                         key = ImportSecret(session, Pattern(20));
  const Mechanism cbc(CKM_AES_CBC_PAD, Pattern(16)), gcm = Gcm(Pattern(12), Pattern(4), 128);
  ASSERT_OK(TryWrap(cbc, wrapper, key));
  EXPECT_EQ(wrapped, Cipher("CBC-PAD", true, Pattern(16), Pattern(16), Pattern(20)));
  ASSERT_OK(TryUnwrap(cbc, wrapper, wrapped, kUnwrapped));
  EXPECT_EQ(Get(session, unwrapped, CKA_VALUE), Pattern(20));
  ASSERT_OK(TryWrap(gcm, wrapper, key));
  EXPECT_EQ(wrapped, GcmEncrypt(Pattern(16), Pattern(12), Pattern(4), Pattern(20), 16));
  ASSERT_OK(TryUnwrap(gcm, wrapper, wrapped, kUnwrapped));
  EXPECT_EQ(Get(session, unwrapped, CKA_VALUE), Pattern(20));
}

TEST_F(Wrapping, PrivateKeysComeInWrapped) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(32));
  const Mechanism cbc(CKM_AES_CBC_PAD, Pattern(16));
  const Key rsa = NewRsa(2048), ec = NewEc("P-256");
  auto kwp = [](const Key& key) {
    return WrapAes("AES-256-WRAP-PAD", Pattern(32), PrivateKeyInfo(key));
  };
  const Attributes rsa_template{{CKA_CLASS, CKO_PRIVATE_KEY}, {CKA_KEY_TYPE, CKK_RSA}},
      ec_template{{CKA_CLASS, CKO_PRIVATE_KEY}, {CKA_KEY_TYPE, CKK_EC}, {CKA_TOKEN, true}};

  ASSERT_OK(TryUnwrap(CKM_AES_KEY_WRAP_KWP, wrapper, kwp(rsa), rsa_template));
  EXPECT_TRUE(VerifyDigest(rsa, {RSA_PKCS1_PADDING, "SHA256"}, Digest("SHA256", Pattern(9)),
                           Do(kSign, session, CKM_SHA256_RSA_PKCS, unwrapped, Pattern(9))));
  ASSERT_OK(TryUnwrap(cbc, wrapper,
                      Cipher("CBC-PAD", true, Pattern(32), Pattern(16), PrivateKeyInfo(ec)),
                      ec_template));
  EXPECT_TRUE(VerifyEcdsa(ec, Pattern(32), Do(kSign, session, CKM_ECDSA, unwrapped, Pattern(32))));
  EXPECT_FALSE(GetBool(session, unwrapped, CKA_LOCAL));
  EXPECT_FALSE(GetBool(session, unwrapped, CKA_NEVER_EXTRACTABLE));

  EXPECT_RV(CKR_WRAPPED_KEY_INVALID,
            TryUnwrap(CKM_AES_KEY_WRAP_KWP, wrapper, kwp(rsa), ec_template));
  EXPECT_RV(CKR_WRAPPED_KEY_INVALID,
            TryUnwrap(CKM_AES_KEY_WRAP_KWP, wrapper,
                      WrapAes("AES-256-WRAP-PAD", Pattern(32), Pattern(40)), rsa_template));
}

TEST_F(Wrapping, AnUnwrappedKeyTellsItsHistory) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(16));
  const Bytes data = WrapAes("AES-128-WRAP", Pattern(16), Pattern(16));
  ASSERT_OK(TryUnwrap(CKM_AES_KEY_WRAP, wrapper, data, kUnwrapped));
  for (CK_ATTRIBUTE_TYPE type : {CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE})
    EXPECT_FALSE(GetBool(session, unwrapped, type)) << type;
  EXPECT_EQ(GetUlong(session, unwrapped, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(GetUlong(session, unwrapped, CKA_VALUE_LEN), 16U);
}

TEST_F(Wrapping, WhatMayNotGoOutStays) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(16));
  const KeyPair ec = GenerateEc(session);
  const CK_OBJECT_HANDLE closed = ImportSecret(session, Pattern(16), {{CKA_EXTRACTABLE, false}}),
                         choosy =
                             ImportSecret(session, Pattern(16), {{CKA_WRAP_WITH_TRUSTED, true}}),
                         open = ImportSecret(session, Pattern(16)),
                         no_wrapper = ImportAes(session, Pattern(16),
                                                {{CKA_WRAP, false}, {CKA_UNWRAP, false}});
  const Mechanism kw(CKM_AES_KEY_WRAP);
  EXPECT_RV(CKR_KEY_UNEXTRACTABLE, TryWrap(kw, wrapper, closed));
  EXPECT_RV(CKR_KEY_UNEXTRACTABLE, TryWrap(kw, wrapper, ec.private_key));
  EXPECT_RV(CKR_KEY_NOT_WRAPPABLE, TryWrap(kw, wrapper, ec.public_key));
  EXPECT_RV(CKR_KEY_NOT_WRAPPABLE, TryWrap(kw, wrapper, choosy));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, TryWrap(kw, wrapper, 0));
  EXPECT_RV(CKR_WRAPPING_KEY_HANDLE_INVALID, TryWrap(kw, 0, open));
  EXPECT_RV(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, TryWrap(kw, open, open));
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED, TryWrap(kw, no_wrapper, open));
  EXPECT_RV(CKR_MECHANISM_INVALID, TryWrap(CKM_AES_ECB, wrapper, open));
  EXPECT_RV(CKR_MECHANISM_INVALID, TryWrap(CKM_SHA256, wrapper, open));

  ASSERT_OK(TryWrap(kw, wrapper, open));
  EXPECT_RV(CKR_UNWRAPPING_KEY_HANDLE_INVALID, TryUnwrap(kw, 0, wrapped, kUnwrapped));
  EXPECT_RV(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, TryUnwrap(kw, open, wrapped, kUnwrapped));
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED, TryUnwrap(kw, no_wrapper, wrapped, kUnwrapped));
}

TEST_F(Wrapping, BadWrappedKeysAndTemplates) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(16));
  Bytes data = WrapAes("AES-128-WRAP", Pattern(16), Pattern(16));
  const Mechanism kw(CKM_AES_KEY_WRAP);
  for (size_t size : {0, 1, 8, 23, 25})
    EXPECT_RV(CKR_WRAPPED_KEY_LEN_RANGE, TryUnwrap(kw, wrapper, Pattern(size), kUnwrapped)) << size;
  EXPECT_RV(CKR_WRAPPED_KEY_INVALID, TryUnwrap(kw, wrapper, Pattern(24), kUnwrapped));
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryUnwrap(kw, wrapper, data, {}));
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryUnwrap(kw, wrapper, data, {{CKA_CLASS, CKO_SECRET_KEY}}));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
            TryUnwrap(kw, wrapper, data, kUnwrapped.With({{CKA_VALUE, Pattern(16)}})));
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
            TryUnwrap(kw, wrapper, data, kUnwrapped.With({{CKA_VALUE_LEN, 24}})));
  EXPECT_NE(TryUnwrap(kw, wrapper, data, PublicTemplate(NewEc("P-256"))), CKR_OK);
  EXPECT_RV(CKR_ARGUMENTS_BAD,
            C_UnwrapKey(session, kw.get(), wrapper, nullptr, 24, nullptr, 0, &unwrapped));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_UnwrapKey(session, kw.get(), wrapper, data.data(), ~CK_ULONG{0},
                                           nullptr, 0, &unwrapped));
  EXPECT_RV(CKR_ARGUMENTS_BAD,
            C_UnwrapKey(session, nullptr, wrapper, data.data(), 24, nullptr, 0, &unwrapped));
  EXPECT_TRUE(Find(session, {{CKA_KEY_TYPE, CKK_GENERIC_SECRET}}).empty()) << "left behind";
}

TEST_F(Wrapping, TheOutputRule) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(16)),
                         key = ImportSecret(session, Pattern(32));
  const Mechanism kw(CKM_AES_KEY_WRAP);
  CK_ULONG size = 0;
  ASSERT_OK(C_WrapKey(session, kw.get(), wrapper, key, nullptr, &size));
  EXPECT_EQ(size, 40U);
  Bytes room(39);
  size = room.size();
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, C_WrapKey(session, kw.get(), wrapper, key, room.data(), &size));
  EXPECT_EQ(size, 40U);
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_WrapKey(session, kw.get(), wrapper, key, room.data(), nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_WrapKey(session, nullptr, wrapper, key, room.data(), &size));
}

}  // namespace
}  // namespace keyscope::test
