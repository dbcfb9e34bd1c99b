// C_CreateObject of keys that other software had the TPM make (CKA_KEYSCOPE_TSS2_KEY).
#include <openssl/rsa.h>

#include "p11/cryptoki.h"
#include "p11/keyscope.h"
#include "tests/module/openssl.h"
#include "tests/module/operations.h"
#include "token/crypto/der.h"
#include "tpm/backend.h"

namespace keyscope::test {
namespace {

namespace der = crypto::der;

constexpr uint8_t kLoadable[] = {0x67, 0x81, 0x05, 0x0a, 0x01, 0x03}, kTrueByte[] = {0xff};
constexpr std::string_view kAuth = "its auth";

class KeyFile : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    backend = tpm::MakeBackend({.tcti = proxy().tcti(), .owner_auth = {}, .threads = false});
    root = backend->EnsureRoot();
  }
  void TearDown() override {
    backend.reset();
    LoggedIn::TearDown();
  }

  tpm::KeyBlob NewBlob(const tpm::KeySpec& spec, std::string_view auth = kAuth) {
    return backend->Create(root, spec, SecretBytes(AsBytes(auth)));
  }
  // `fields`: what stands before the parent.
  Bytes FileOf(const tpm::KeyBlob& blob, ByteView fields = {}) {
    const uint8_t parent[] = {0x81, 0, 0, 1};
    return der::Write(der::kSequence,
                      {der::Write(der::kOid, {kLoadable}), fields, der::WriteUnsigned(parent),
                       der::Write(der::kOctetString, {blob.public_area}),
                       der::Write(der::kOctetString, {blob.private_area})});
  }
  static Bytes Field(uint8_t n, uint8_t tag, ByteView content) {
    return der::Write(der::Context(n), {der::Write(tag, {content})});
  }
  Attributes TemplateOf(const Bytes& file) {
    return {{CKA_CLASS, CKO_PRIVATE_KEY},
            {CKA_KEYSCOPE_TSS2_KEY, file},
            {CKA_KEYSCOPE_TSS2_AUTH, kAuth}};
  }

  std::unique_ptr<tpm::Backend> backend;
  tpm::Root root;
  const tpm::KeySpec ec{KeyScope::Machine, tpm::EcSpec{tpm::Curve::P256}};
  const tpm::KeySpec rsa{KeyScope::Machine, tpm::RsaSpec{2048}};
};

TEST_F(KeyFile, EcAndRsaKeysSign) {
  for (bool on_token : {false, true}) {
    const auto key = Create(session, TemplateOf(FileOf(NewBlob(ec))).With({{CKA_TOKEN, on_token}}));
    EXPECT_EQ(GetUlong(session, key, CKA_KEY_TYPE), CKK_EC);
    const Key opened = FromPublicKeyInfo(Get(session, key, CKA_PUBLIC_KEY_INFO));
    const Bytes digest = Digest("SHA256", AsBytes("message"));
    EXPECT_TRUE(VerifyEcdsa(opened, digest, Do(kSign, session, CKM_ECDSA, key, digest)));
    EXPECT_FALSE(GetBool(session, key, CKA_LOCAL));
    EXPECT_FALSE(GetBool(session, key, CKA_ALWAYS_SENSITIVE));
    EXPECT_FALSE(GetBool(session, key, CKA_NEVER_EXTRACTABLE));
    EXPECT_TRUE(GetBool(session, key, CKA_SENSITIVE));
    EXPECT_TRUE(GetBool(session, key, CKA_KEYSCOPE_IN_TPM));
    EXPECT_EQ(GetUlong(session, key, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
    for (CK_ATTRIBUTE_TYPE hidden : {CKA_VALUE, CKA_KEYSCOPE_TSS2_KEY, CKA_KEYSCOPE_TSS2_AUTH})
      EXPECT_RV(CKR_ATTRIBUTE_SENSITIVE, TryGet(session, key, hidden));

    const auto rsa_key =
        Create(session, TemplateOf(FileOf(NewBlob(rsa))).With({{CKA_TOKEN, on_token}}));
    EXPECT_EQ(GetUlong(session, rsa_key, CKA_KEY_TYPE), CKK_RSA);
    const Key rsa_opened = FromPublicKeyInfo(Get(session, rsa_key, CKA_PUBLIC_KEY_INFO));
    const Bytes cipher = EncryptRsa(rsa_opened, {RSA_PKCS1_PADDING}, AsBytes("secret"));
    EXPECT_EQ(AsString(Do(kDecrypt, session, CKM_RSA_PKCS, rsa_key, cipher)), "secret");
  }
}

TEST_F(KeyFile, EmptyAuthNeedsNoneAndItsLackIsTold) {
  const Bytes none = FileOf(NewBlob(ec, ""), Field(0, der::kBoolean, kTrueByte));
  Create(session, TemplateOf(none).Without(CKA_KEYSCOPE_TSS2_AUTH));
  const Attributes with_auth = TemplateOf(FileOf(NewBlob(ec)));
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryCreate(session, with_auth.Without(CKA_KEYSCOPE_TSS2_AUTH)));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, with_auth.With({{CKA_KEYSCOPE_TSS2_AUTH, "wrong"}})));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, with_auth.With({{CKA_KEYSCOPE_TSS2_AUTH, Bytes(65, 1)}})));
  EXPECT_EQ(TriesUsed(), 0U);
}

TEST_F(KeyFile, TheTemplateMustAgree) {
  const Attributes good = TemplateOf(FileOf(NewBlob(ec)));
  const Key other = NewEc("P-256");
  const std::pair<CK_RV, Attributes> kCases[] = {
      {CKR_TEMPLATE_INCONSISTENT, good.With({{CKA_KEY_TYPE, CKK_RSA}})},
      {CKR_TEMPLATE_INCONSISTENT, good.With({{CKA_EC_PARAMS, Curves()[1].params}})},
      {CKR_TEMPLATE_INCONSISTENT, good.With({{CKA_EC_POINT, OctetString(RawPoint(other))}})},
      {CKR_TEMPLATE_INCONSISTENT, good.With({{CKA_VALUE, Bytes(32, 1)}})},
      {CKR_TEMPLATE_INCONSISTENT, good.Without(CKA_KEYSCOPE_TSS2_KEY)},
      {CKR_TEMPLATE_INCOMPLETE, good.Without(CKA_CLASS)},
      {CKR_ATTRIBUTE_TYPE_INVALID, good.With({{CKA_MODULUS, Bytes(256, 1)}})},
      {CKR_ATTRIBUTE_VALUE_INVALID, good.With({{CKA_SENSITIVE, false}})},
      {CKR_ATTRIBUTE_VALUE_INVALID, good.With({{CKA_EXTRACTABLE, true}})},
      {CKR_TEMPLATE_INCONSISTENT, good.With({{CKA_KEYSCOPE_SCOPE, KEYSCOPE_SCOPE_USER}})},
  };
  for (const auto& [rv, given] : kCases) {
    SCOPED_TRACE(&rv - &kCases[0].first);
    EXPECT_RV(rv, TryCreate(session, given));
  }
  EXPECT_NE(CKR_OK, TryCreate(session, good.With({{CKA_CLASS, CKO_PUBLIC_KEY}})));
  EXPECT_NE(CKR_OK, TryCreate(session, good.With({{CKA_CLASS, CKO_DATA}})));
  Create(session, good.With({{CKA_KEY_TYPE, CKK_EC}, {CKA_EC_PARAMS, P256().params}}));
}

TEST_F(KeyFile, WhatIsNoKeyOfThisTpmIsRefused) {
  const tpm::KeyBlob blob = NewBlob(ec);
  const Bytes policy = Field(1, der::kSequence, {}), auth_policy = Field(3, der::kSequence, {}),
              rsa_parent = Field(5, der::kBoolean, kTrueByte);
  Bytes damaged = FileOf(blob);
  damaged.back() ^= 1;
  const tpm::KeyBlob secret = backend->CreateSecret(root, {KeyScope::Machine, tpm::AesSpec{128}},
                                                    {}, SecretBytes(AsBytes(kAuth)));
  const tpm::KeyBlob ak =
      backend
          ->CreateAttested(root, AsBytes("ak"), {KeyScope::Machine, tpm::EcSpec{}, true},
                           SecretBytes(AsBytes(kAuth)), nullptr, Bytes(4, 1))
          .blob;
  backend->Release({});
  for (const Bytes& file :
       {Bytes{}, Bytes{0x30, 0}, Bytes(100, 0x30), damaged, FileOf(blob, policy),
        FileOf(blob, auth_policy), FileOf(blob, rsa_parent), FileOf({{}, blob.private_area}),
        FileOf({blob.public_area, {}}), FileOf(secret), FileOf(ak)}) {
    SCOPED_TRACE(Hex(file));
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, TemplateOf(file)));
  }
  Create(session, TemplateOf(FileOf(blob)));
}

TEST_F(KeyFile, OnlyCreateObjectTakesIt) {
  const Attributes of_private = {{CKA_KEYSCOPE_TSS2_KEY, Bytes(4, 1)},
                                 {CKA_KEYSCOPE_TSS2_AUTH, kAuth}};
  KeyPair pair;
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
            TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}},
                            of_private.Without(CKA_KEYSCOPE_TSS2_AUTH), pair));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
            TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}},
                            of_private, pair));
  const KeyPair made = GenerateEc(session);
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session, made.private_key, of_private));
}

}  // namespace
}  // namespace keyscope::test
