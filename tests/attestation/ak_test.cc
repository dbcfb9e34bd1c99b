// What AKs do and do not do: templates, mechanisms, fresh statements, credentials.
#include <algorithm>
#include <cstring>

#include "tests/attestation/verifier.h"
#include "tests/contract/credential.h"
#include "tests/contract/statement.h"
#include "tests/fakes/public_key.h"
#include "tests/module/openssl.h"

namespace keyscope::test {
namespace {

const std::vector<CK_MECHANISM_TYPE> kOfAks = {CKM_KEYSCOPE_CERTIFY, CKM_KEYSCOPE_QUOTE,
                                               CKM_KEYSCOPE_ACTIVATE_CREDENTIAL};

std::vector<CK_MECHANISM_TYPE> Allowed(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  const Bytes value = Get(session, key, CKA_ALLOWED_MECHANISMS);
  std::vector<CK_MECHANISM_TYPE> types(value.size() / sizeof(CK_MECHANISM_TYPE));
  if (!types.empty()) std::memcpy(types.data(), value.data(), value.size());
  return types;
}

TEST_F(Attestation, AnAkSignsNothingElse) {
  const CK_OBJECT_HANDLE ordinary = Make(session(), Algorithm::Ec);
  for (Algorithm algorithm : kAlgorithms) {
    const CK_OBJECT_HANDLE ak = MakeAk(session(), algorithm);
    EXPECT_EQ(Allowed(session(), ak), kOfAks);
    EXPECT_TRUE(GetBool(session(), ak, CKA_SIGN));
    EXPECT_TRUE(GetBool(session(), ak, CKA_KEYSCOPE_IN_TPM));
    const int commands = Commands([&] {
      for (CK_MECHANISM_TYPE type : {CKM_ECDSA, CKM_ECDSA_SHA256, CKM_RSA_PKCS, CKM_RSA_X_509,
                                     CKM_SHA256_RSA_PKCS, CKM_AES_CMAC}) {
        EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED, C_SignInit(session(), Mechanism(type).get(), ak));
      }
      EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
                C_DecryptInit(session(), Mechanism(CKM_RSA_PKCS).get(), ak));
      CK_OBJECT_HANDLE derived;
      EXPECT_RV(
          CKR_KEY_FUNCTION_NOT_PERMITTED,
          C_DeriveKey(session(), Ecdh(CKD_NULL, Pattern(65)).get(), ak, nullptr, 0, &derived));
      for (const Mechanism& certify :
           {CertifyMechanism(ak), QuoteMechanism(CKM_SHA256, 1), CertifyMechanism(ordinary)})
        EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED, C_SignInit(session(), certify.get(), ordinary));
      EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
                C_DecryptInit(session(), ActivateMechanism(CKK_RSA).get(), ordinary));
    });
    EXPECT_EQ(commands, 0);
  }
  const auto of_ordinary = Allowed(session(), ordinary);
  for (CK_MECHANISM_TYPE type : kOfAks) {
    EXPECT_EQ(std::ranges::count(of_ordinary, type), 0);
    CK_MECHANISM_INFO info;
    EXPECT_OK(C_GetMechanismInfo(kMachineSlot, type, &info));
    EXPECT_EQ(info.flags,
              CKF_HW | (type == CKM_KEYSCOPE_ACTIVATE_CREDENTIAL ? CKF_DECRYPT : CKF_SIGN));
  }
}

TEST_F(Attestation, TemplatesThatContradictThemselves) {
  const Attributes ak{{CKA_KEYSCOPE_ATTESTATION_KEY, true}};
  const Attributes by = By(session(), MakeAk(session()));
  struct Row {
    CK_RV rv;
    Attributes asked;
  };
  const Row rows[] = {
      {CKR_TEMPLATE_INCONSISTENT, ak.With(by)},
      {CKR_TEMPLATE_INCONSISTENT, {{CKA_KEYSCOPE_QUALIFYING_DATA, Pattern(8)}}},
      {CKR_ATTRIBUTE_VALUE_INVALID, by.With({{CKA_KEYSCOPE_QUALIFYING_DATA, Pattern(65)}})},
      {CKR_TEMPLATE_INCONSISTENT, {{CKA_KEYSCOPE_CREATION_ONLY, true}}},
      {CKR_TEMPLATE_INCONSISTENT, ak.With({{CKA_KEYSCOPE_CREATION_ONLY, true}})},
      {CKR_TEMPLATE_INCONSISTENT, ak.With({{CKA_DERIVE, true}})},
      {CKR_TEMPLATE_INCONSISTENT, ak.With({{CKA_SIGN_RECOVER, true}})},
      {CKR_TEMPLATE_INCONSISTENT, ak.With({{CKA_ALWAYS_AUTHENTICATE, true}})},
      {CKR_TEMPLATE_INCONSISTENT, {{CKA_KEYSCOPE_PERSISTENT, true}, {CKA_TOKEN, false}}},
      {CKR_ATTRIBUTE_READ_ONLY, {{CKA_KEYSCOPE_ATTEST, Pattern(8)}}},
      {CKR_ATTRIBUTE_READ_ONLY, {{CKA_KEYSCOPE_IN_TPM, false}}},
      {CKR_ATTRIBUTE_READ_ONLY, {{CKA_KEYSCOPE_PERSISTENT_HANDLE, 0x81008000}}},
      {CKR_ATTRIBUTE_TYPE_INVALID, {{CKA_KEYSCOPE_ENDORSEMENT, true}}},
      {CKR_ATTRIBUTE_VALUE_INVALID, {{CKA_KEYSCOPE_ATTESTATION_KEY, Bytes{1, 1}}}},
  };
  const auto before = Traces();
  KeyPair pair;
  for (const Row& row : rows)
    EXPECT_RV(row.rv, TryMake(session(), Algorithm::Ec, row.asked, pair)) << &row - rows;
  const Attributes token{{CKA_TOKEN, true}};
  EXPECT_RV(
      CKR_CURVE_NOT_SUPPORTED,
      TryGeneratePair(session(), CKM_EC_KEY_PAIR_GEN,
                      token.With({{CKA_EC_PARAMS, Curves()[1].params}}), token.With(ak), pair));
  EXPECT_RV(CKR_KEY_SIZE_RANGE,
            TryGeneratePair(session(), CKM_RSA_PKCS_KEY_PAIR_GEN,
                            token.With({{CKA_MODULUS_BITS, 3072}}), token.With(ak), pair));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
            TryCreate(session(), PrivateTemplate(NewEc("P-256")).With(ak)));
  EXPECT_EQ(Traces(), before);
}

TEST_F(Attestation, WhatBirthWroteIsNotChanged) {
  const CK_OBJECT_HANDLE ak = MakeAk(session()),
                         key = Make(session(), Algorithm::Ec, By(session(), ak));
  for (const Attribute& change :
       {Attribute{CKA_KEYSCOPE_ATTESTATION_KEY, true}, Attribute{CKA_KEYSCOPE_ATTESTED_BY, Bytes{}},
        Attribute{CKA_KEYSCOPE_ATTEST, Bytes{}}, Attribute{CKA_KEYSCOPE_SCOPE, KEYSCOPE_SCOPE_USER},
        Attribute{CKA_KEYSCOPE_AK_NAME, Bytes{}}})
    EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session(), key, {change})) << change.type;
  for (CK_ATTRIBUTE_TYPE use : {CKA_DERIVE, CKA_UNWRAP, CKA_SIGN_RECOVER}) {
    Attributes wider{{use, true}};
    CK_OBJECT_HANDLE copy;
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, Set(session(), ak, wider)) << use;
    EXPECT_FALSE(GetBool(session(), ak, use));
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
              C_CopyObject(session(), ak, wider.data(), wider.size(), &copy));
  }
  EXPECT_OK(Set(session(), ak, {{CKA_SIGN, false}, {CKA_LABEL, "an AK"}}));
  EXPECT_OK(Set(session(), key, {{CKA_LABEL, "renamed"}}));
  EXPECT_EQ(Find(session(), By(session(), ak)), std::vector{key});
}

TEST_F(Attestation, TwoNoncesTwoStatements) {
  for (Algorithm algorithm : kAlgorithms) {
    const CK_OBJECT_HANDLE ak = MakeAk(session(), algorithm);
    const Bytes ak_public = EvidenceOf(session(), ak).public_area;
    // Attested at birth or not, and in the token or not.
    const CK_OBJECT_HANDLE keys[] = {Make(session(), Algorithm::Rsa, By(session(), ak)),
                                     Make(session(), Algorithm::Ec),
                                     GenerateEc(session()).private_key};
    for (CK_OBJECT_HANDLE key : keys) {
      const Bytes key_public = Get(session(), key, CKA_KEYSCOPE_TPM_PUBLIC);
      std::vector<tpm::Statement> statements;
      for (const Bytes& nonce : {Pattern(1), Pattern(64)}) {
        statements.push_back(
            ParseStatement(Do(kSign, session(), CertifyMechanism(key), ak, nonce)));
        EXPECT_EQ(CheckKey(ak_public, key_public, statements.back(), nonce), "");
      }
      EXPECT_NE(statements[0].attest, statements[1].attest);
      EXPECT_EQ(CheckKey(ak_public, key_public, statements[0], Pattern(64)), "nonce");
      const tpm::Statement in_parts =
          ParseStatement(DoInParts(kSign, session(), CertifyMechanism(key), ak, Pattern(32), 5));
      EXPECT_EQ(CheckKey(ak_public, key_public, in_parts, Pattern(32)), "");
    }
    for (size_t size : {0, 65})
      EXPECT_RV(CKR_DATA_LEN_RANGE,
                Try(kSign, session(), CertifyMechanism(keys[0]), ak, Pattern(size)));
  }
}

TEST_F(Attestation, WhatCannotBeCertified) {
  const CK_OBJECT_HANDLE ak = MakeAk(session()), aes = ImportAes(session(), Pattern(16));
  const KeyPair pair = GenerateEc(session());
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, C_SignInit(session(), CertifyMechanism(0).get(), ak));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            C_SignInit(session(), CertifyMechanism(Make(In(kUserSlot), Algorithm::Ec)).get(), ak));
  for (CK_OBJECT_HANDLE other : {aes, pair.public_key})
    EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT, C_SignInit(session(), CertifyMechanism(other).get(), ak));
  for (const Mechanism& bad :
       {Mechanism(CKM_KEYSCOPE_CERTIFY), Mechanism(CKM_KEYSCOPE_CERTIFY, Pattern(7)),
        Mechanism(CKM_KEYSCOPE_QUOTE), QuoteMechanism(CKM_SHA256, 0),
        QuoteMechanism(CKM_SHA256, 1 << 24), QuoteMechanism(CKM_MD5, 1),
        QuoteMechanism(CKM_SHA3_256, 1)})
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, C_SignInit(session(), bad.get(), ak));
  for (const Mechanism& bad : {Mechanism(CKM_KEYSCOPE_ACTIVATE_CREDENTIAL),
                               ActivateMechanism(CKK_AES), ActivateMechanism(0x01C00003)})
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, C_DecryptInit(session(), bad.get(), ak));
}

TEST_F(Attestation, AQuote) {
  for (Algorithm algorithm : kAlgorithms) {
    const CK_OBJECT_HANDLE ak = MakeAk(session(), algorithm);
    const tpm::Statement quote =
        ParseStatement(Do(kSign, session(), QuoteMechanism(CKM_SHA256, 0x800081), ak, Pattern(20)));
    const Attested attested = ParseAttest(quote.attest);
    EXPECT_EQ(attested.magic, kGenerated);
    EXPECT_EQ(attested.type, test::kQuote);
    EXPECT_EQ(attested.extra_data, Pattern(20));
    EXPECT_EQ(attested.bank, 0x000B);
    EXPECT_EQ(attested.pcrs, 0x800081U);
    EXPECT_TRUE(IsSignedBy(ParsePublic(EvidenceOf(session(), ak).public_area).key, quote));
    EXPECT_RV(CKR_DATA_LEN_RANGE, Try(kSign, session(), QuoteMechanism(CKM_SHA256, 1), ak, {}));
  }
}

TEST_F(Attestation, AShortBufferCostsNoStatement) {
  const CK_OBJECT_HANDLE ak = MakeAk(session());
  ASSERT_OK(C_SignInit(session(), CertifyMechanism(ak).get(), ak));
  Bytes nonce = Pattern(20), room(4096);
  CK_ULONG size = 10;
  const int commands = Commands([&] {
    EXPECT_RV(CKR_BUFFER_TOO_SMALL,
              C_Sign(session(), nonce.data(), nonce.size(), room.data(), &size));
  });
  EXPECT_EQ(commands, 0);
  ASSERT_LE(size, room.size());
  EXPECT_OK(C_Sign(session(), nonce.data(), nonce.size(), room.data(), &size));
  EXPECT_FALSE(ParseAttest(ParseStatement(ByteView(room).first(size)).attest).name.empty());
}

// --- Endorsement keys and credentials ---

tpm::Endorsement EndorsementOf(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE ek) {
  tpm::Endorsement endorsement;
  endorsement.type = static_cast<tpm::EkType>(GetUlong(session, ek, CKA_KEYSCOPE_NV_INDEX));
  endorsement.public_area = Get(session, ek, CKA_KEYSCOPE_TPM_PUBLIC);
  endorsement.name = Get(session, ek, CKA_KEYSCOPE_TPM_NAME);
  if (GetUlong(session, ek, CKA_KEY_TYPE) == CKK_RSA) {
    endorsement.key =
        tpm::RsaPublic{Get(session, ek, CKA_MODULUS), Get(session, ek, CKA_PUBLIC_EXPONENT)};
  } else {
    const auto key = FromPublicKeyInfo(Get(session, ek, CKA_PUBLIC_KEY_INFO));
    endorsement.key = PointOf(*key, tpm::Curve::P256);
  }
  return endorsement;
}

const Attributes kEndorsementKeys{{CKA_CLASS, CKO_PUBLIC_KEY}, {CKA_KEYSCOPE_ENDORSEMENT, true}};

TEST_F(Attestation, EndorsementKeysAreReadOnlyObjectsOfTheMachineSlot) {
  EXPECT_TRUE(Find(In(kUserSlot), kEndorsementKeys).empty());
  EXPECT_EQ(Commands([&] { EXPECT_TRUE(Find(session(), {}).empty()); }), 0);
  const auto found = Find(session(), kEndorsementKeys);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(Commands([&] { EXPECT_EQ(Find(session(), kEndorsementKeys), found); }), 0);
  EXPECT_TRUE(Find(session(), {{CKA_CLASS, CKO_PUBLIC_KEY}}).empty()) << "nobody asked for them";
  for (CK_OBJECT_HANDLE ek : found) {
    const Bytes area = Get(session(), ek, CKA_KEYSCOPE_TPM_PUBLIC);
    EXPECT_EQ(Get(session(), ek, CKA_KEYSCOPE_TPM_NAME), NameFor(area));
    EXPECT_EQ(GetUlong(session(), ek, CKA_KEYSCOPE_SCOPE), KEYSCOPE_SCOPE_MACHINE);
    EXPECT_NE(FromPublicKeyInfo(Get(session(), ek, CKA_PUBLIC_KEY_INFO)), nullptr);
    EXPECT_RV(CKR_ACTION_PROHIBITED, Set(session(), ek, {{CKA_LABEL, "mine"}}));
    EXPECT_RV(CKR_ACTION_PROHIBITED, C_DestroyObject(session(), ek));
    CK_OBJECT_HANDLE copy;
    EXPECT_RV(CKR_ACTION_PROHIBITED, C_CopyObject(session(), ek, nullptr, 0, &copy));
    EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
              C_EncryptInit(session(), Mechanism(CKM_RSA_PKCS).get(), found.front()));
  }
  EXPECT_EQ(GetUlong(session(), found[0], CKA_KEYSCOPE_NV_INDEX), 0x01C00002);
  EXPECT_EQ(GetUlong(session(), found[1], CKA_KEYSCOPE_NV_INDEX), 0x01C0000A);
  ASSERT_OK(C_Logout(session()));
  EXPECT_EQ(Find(session(), kEndorsementKeys), found) << "they are public";
  EXPECT_EQ(Find(session(), {{CKA_LABEL, "Endorsement key (EC)"}}), std::vector{found[1]})
      << "they are found by label, too";
  EXPECT_TRUE(Find(session(), {{CKA_LABEL, "Endorsement"}}).empty());
  const auto ids = Get(session(), found[0], CKA_UNIQUE_ID);
  Restart();
  EXPECT_EQ(Get(session(), Find(session(), kEndorsementKeys)[0], CKA_UNIQUE_ID), ids);
}

TEST_F(Attestation, ActivationGivesTheSecretToTheRightAkOnly) {
  const Bytes secret = Pattern(32);
  for (CK_OBJECT_HANDLE ek : Find(session(), kEndorsementKeys)) {
    const CK_KEY_TYPE type = GetUlong(session(), ek, CKA_KEY_TYPE);
    const tpm::Endorsement endorsement = EndorsementOf(session(), ek);
    for (CK_SLOT_ID slot : kSlots) {
      const CK_OBJECT_HANDLE ak =
          MakeAk(In(slot), slot == kMachineSlot ? Algorithm::Rsa : Algorithm::Ec);
      const Credential credential =
          MakeCredential(endorsement, Get(In(slot), ak, CKA_KEYSCOPE_TPM_NAME), secret);
      const Bytes data = Concat({credential.id_object, credential.encrypted_secret});
      EXPECT_EQ(Do(kDecrypt, In(slot), ActivateMechanism(type), ak, data), secret);
      const CK_ULONG index = GetUlong(session(), ek, CKA_KEYSCOPE_NV_INDEX);
      EXPECT_EQ(Do(kDecrypt, In(slot), ActivateMechanism(index), ak, data), secret);

      auto refused = [&](CK_RV rv, CK_KEY_TYPE with, CK_OBJECT_HANDLE by, ByteView given) {
        EXPECT_RV(rv, Try(kDecrypt, In(slot), ActivateMechanism(with), by, given));
      };
      Bytes tampered = data;
      tampered[10] ^= 1;
      refused(CKR_ENCRYPTED_DATA_INVALID, type, ak, tampered);
      refused(CKR_ENCRYPTED_DATA_INVALID, type, MakeAk(In(slot)), data);
      refused(CKR_ENCRYPTED_DATA_INVALID, type == CKK_RSA ? CKK_EC : CKK_RSA, ak, data);
      for (size_t size : {size_t{0}, size_t{1}, credential.id_object.size(), data.size() - 1})
        refused(CKR_ENCRYPTED_DATA_LEN_RANGE, type, ak, ByteView(data).first(size));
      refused(CKR_ENCRYPTED_DATA_LEN_RANGE, type, ak, Concat({data, Bytes{0}}));
      EXPECT_EQ(Do(kDecrypt, In(slot), ActivateMechanism(type), ak, data), secret);
    }
  }
}

}  // namespace
}  // namespace keyscope::test
