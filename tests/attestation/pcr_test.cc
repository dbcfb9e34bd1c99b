// Keys that are bound to PCRs (CKA_KEYSCOPE_PCR_SELECTION), through the C ABI.
#include "tests/support/pcr.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/attestation/verifier.h"

namespace keyscope::test {
namespace {

using testing::HasSubstr;

constexpr const char* kPcrs = "sha256:0,16";
const Attributes kBound{{CKA_KEYSCOPE_PCR_SELECTION, kPcrs}};

class PcrKeys : public Attestation {
 protected:
  void TearDown() override {
    ResetPcr(proxy(), 16);
    Attestation::TearDown();
  }
  static CK_RV TrySign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
    const bool rsa = GetUlong(session, key, CKA_KEY_TYPE) == CKK_RSA;
    return Try(kSign, session, rsa ? CKM_SHA256_RSA_PKCS : CKM_ECDSA_SHA256, key, Pattern(50));
  }
  CK_RV TryMakeWith(const Attributes& asked) {
    KeyPair pair;
    return TryMake(session(), Algorithm::Ec, asked, pair);
  }
};

TEST_F(PcrKeys, AreUsedWhileTheirPcrsHold) {
  for (CK_SLOT_ID slot : kSlots)
    for (Algorithm algorithm : kAlgorithms) {
      const CK_SESSION_HANDLE session = In(slot);
      const CK_OBJECT_HANDLE key = Make(session, algorithm, kBound);
      const CK_OBJECT_HANDLE ordinary = Make(session, algorithm);
      EXPECT_OK(TrySign(session, key));
      ExtendPcr(proxy(), 16);
      TakeLog();
      EXPECT_RV(CKR_KEYSCOPE_POLICY_MISMATCH, TrySign(session, key));
      const std::string log = TakeLog();
      EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
      EXPECT_THAT(log, HasSubstr("CKR_KEYSCOPE_POLICY_MISMATCH"));
      EXPECT_THAT(log, HasSubstr("PCRs sha256:16 no longer have the values"));
      EXPECT_OK(TrySign(session, ordinary));
      EXPECT_EQ(TriesUsed(), 0U);
      ResetPcr(proxy(), 16);
      EXPECT_OK(TrySign(session, key));
    }
}

TEST_F(PcrKeys, TheOperationEndsWithTheMismatch) {
  const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, kBound);
  ExtendPcr(proxy(), 16);
  ASSERT_OK(C_SignInit(session(), Mechanism(CKM_ECDSA).get(), key));
  Bytes digest = Pattern(32), signature(64);
  CK_ULONG size = signature.size();
  EXPECT_OK(C_Sign(session(), digest.data(), 32, nullptr, &size));
  EXPECT_EQ(size, 64U);
  EXPECT_RV(CKR_KEYSCOPE_POLICY_MISMATCH,
            C_Sign(session(), digest.data(), 32, signature.data(), &size));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            C_Sign(session(), digest.data(), 32, signature.data(), &size));
}

TEST_F(PcrKeys, EveryUseAsksForThem) {
  const KeyPair rsa = GenerateRsa(session(), 2048, kBound);
  const KeyPair ec = GenerateEc(session(), P256(), kBound.With({{CKA_DERIVE, true}}));
  const Bytes cipher = Do(kEncrypt, session(), CKM_RSA_PKCS, rsa.public_key, Pattern(16));
  const Bytes point = Get(session(), GenerateEc(session()).public_key, CKA_EC_POINT);
  const Attributes secret{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_AES}};
  const auto use_all = [&](CK_RV expected) {
    EXPECT_RV(expected, Try(kDecrypt, session(), CKM_RSA_PKCS, rsa.private_key, cipher));
    EXPECT_RV(expected, Try(kSign, session(), CKM_RSA_PKCS, rsa.private_key, Pattern(20)));
    EXPECT_RV(expected, Try(kSign, session(), Pss(CKM_SHA256_RSA_PKCS_PSS, kSha256, kSha256, 32),
                            rsa.private_key, Pattern(20)));
    EXPECT_RV(expected, Try(kSign, session(), CKM_ECDSA, ec.private_key, Pattern(32)));
    CK_OBJECT_HANDLE made;
    Attributes derived = secret.With({{CKA_VALUE_LEN, 16}}), unwrapped = secret;
    EXPECT_RV(expected, C_DeriveKey(session(), Ecdh(CKD_NULL, point).get(), ec.private_key,
                                    derived.data(), derived.size(), &made));
    EXPECT_RV(expected, C_UnwrapKey(session(), Mechanism(CKM_RSA_PKCS).get(), rsa.private_key,
                                    Mutable(cipher), cipher.size(), unwrapped.data(),
                                    unwrapped.size(), &made));
  };
  use_all(CKR_OK);
  ExtendPcr(proxy(), 16);
  use_all(CKR_KEYSCOPE_POLICY_MISMATCH);
  ResetPcr(proxy(), 16);
  use_all(CKR_OK);
}

TEST_F(PcrKeys, AreReadBack) {
  const CK_OBJECT_HANDLE key =
      Make(session(), Algorithm::Ec, {{CKA_KEYSCOPE_PCR_SELECTION, "sha256:16,0,16"}});
  EXPECT_EQ(AsString(Get(session(), key, CKA_KEYSCOPE_PCR_SELECTION)), kPcrs);
  EXPECT_EQ(Get(session(), key, CKA_KEYSCOPE_PCR_VALUES), Bytes(64));
  const Bytes policy = Get(session(), key, CKA_KEYSCOPE_POLICY_DIGEST);
  const Bytes area = Get(session(), key, CKA_KEYSCOPE_TPM_PUBLIC);
  EXPECT_EQ(policy.size(), 32U);
  EXPECT_NE(std::ranges::search(area, policy).begin(), area.end());
  EXPECT_EQ(ParsePublic(area).attributes & kUserWithAuth, 0U);
  EXPECT_EQ(Find(session(), {{CKA_KEYSCOPE_PCR_SELECTION, kPcrs}}), std::vector{key});

  const CK_OBJECT_HANDLE ordinary = Make(session(), Algorithm::Ec);
  for (CK_ATTRIBUTE_TYPE type :
       {CKA_KEYSCOPE_PCR_SELECTION, CKA_KEYSCOPE_PCR_VALUES, CKA_KEYSCOPE_POLICY_DIGEST}) {
    EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID, TryGet(session(), ordinary, type));
    for (CK_OBJECT_HANDLE one : {key, ordinary})
      EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, Set(session(), one, {{type, kPcrs}}));
  }
}

TEST_F(PcrKeys, WhatIsRefusedLeavesNothing) {
  const std::vector<int64_t> before = Traces();
  const int commands = Commands([&] {
    for (const char* text :
         {"", "sha256", "sha256:", "sha256:24", "sha256:0,", "sha256:,0", "sha256:-1", "sha256: 0",
          "sha256:0 ", "sha256:0x7", "sha256:all", "sha256:0+sha1:1", "SHA256:0", "md5:0",
          "sha3_256:0", ":0", "0,7", "sha256:99999999999999999999", "sha256:0;7"})
      EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryMakeWith({{CKA_KEYSCOPE_PCR_SELECTION, text}}))
          << text;
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryMakeWith({{CKA_KEYSCOPE_PCR_SELECTION, Bytes{'s', 'h', 'a', '1', ':', '1', 0}}}));
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
              TryMakeWith(kBound.With({{CKA_KEYSCOPE_ATTESTATION_KEY, true}})));
    EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, TryMakeWith({{CKA_KEYSCOPE_PCR_VALUES, Bytes(32)}}));
    EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY, TryMakeWith({{CKA_KEYSCOPE_POLICY_DIGEST, Bytes(32)}}));
    KeyPair pair;
    EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID,
              TryGeneratePair(session(), CKM_EC_KEY_PAIR_GEN,
                              kBound.With({{CKA_EC_PARAMS, P256().params}}), {}, pair));
    CK_OBJECT_HANDLE key;
    Attributes aes = kBound.With({{CKA_VALUE_LEN, 16}});
    EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID, C_GenerateKey(session(), Mechanism(CKM_AES_KEY_GEN).get(),
                                                        aes.data(), aes.size(), &key));
  });
  EXPECT_EQ(commands, 0);
  EXPECT_EQ(Traces(), before);
}

TEST_F(PcrKeys, ACopyIsBoundToTheSame) {
  const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, kBound);
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE, none;
  ExtendPcr(proxy(), 16);  // copying asks for no values
  Attributes change{{CKA_LABEL, "copy"}}, rebind{{CKA_KEYSCOPE_PCR_SELECTION, "sha256:1"}};
  ASSERT_OK(C_CopyObject(session(), key, change.data(), change.size(), &copy));
  EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
            C_CopyObject(session(), key, rebind.data(), rebind.size(), &none));
  EXPECT_NE(Get(session(), copy, CKA_UNIQUE_ID), Get(session(), key, CKA_UNIQUE_ID));
  for (CK_ATTRIBUTE_TYPE type :
       {CKA_KEYSCOPE_PCR_SELECTION, CKA_KEYSCOPE_PCR_VALUES, CKA_KEYSCOPE_POLICY_DIGEST})
    EXPECT_EQ(Get(session(), copy, type), Get(session(), key, type));
  ASSERT_OK(C_DestroyObject(session(), key));
  EXPECT_RV(CKR_KEYSCOPE_POLICY_MISMATCH, TrySign(session(), copy));
  ResetPcr(proxy(), 16);
  EXPECT_OK(TrySign(session(), copy));
}

TEST_F(PcrKeys, OutliveTheProcessAndAResetOfTheTpm) {
  const Bytes id = {1, 2, 3};
  Make(session(), Algorithm::Ec, kBound.With({{CKA_ID, id}}));
  Make(session(), Algorithm::Ec, kBound.With({{CKA_ID, id}, {CKA_KEYSCOPE_PERSISTENT, true}}));
  const auto expect_all = [&](CK_RV expected) {
    const auto found = Find(session(), {{CKA_ID, id}, {CKA_CLASS, CKO_PRIVATE_KEY}});
    EXPECT_EQ(found.size(), 2U);
    for (CK_OBJECT_HANDLE key : found) EXPECT_RV(expected, TrySign(session(), key));
  };
  Restart();
  expect_all(CKR_OK);
  ExtendPcr(proxy(), 16);
  expect_all(CKR_KEYSCOPE_POLICY_MISMATCH);
  StopTpm();
  swtpm().Start();
  expect_all(CKR_OK);
}

TEST_F(PcrKeys, AreAttestedWithTheirPolicy) {
  const CK_OBJECT_HANDLE ak = MakeAk(session());
  const Bytes ak_public = EvidenceOf(session(), ak).public_area;
  const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, kBound.With(By(session(), ak)));
  EXPECT_OK(TrySign(session(), key));
  ExtendPcr(proxy(), 16);
  // Whatever the PCRs hold: what is stated is that the TPM has such a key with such a policy.
  const tpm::Statement statement =
      ParseStatement(Do(kSign, session(), CertifyMechanism(key), ak, Pattern(20)));
  const Bytes key_public = Get(session(), key, CKA_KEYSCOPE_TPM_PUBLIC);
  EXPECT_EQ(CheckKey(ak_public, key_public, statement, Pattern(20)), "");
  EXPECT_RV(CKR_KEYSCOPE_POLICY_MISMATCH, TrySign(session(), key));
}

}  // namespace
}  // namespace keyscope::test
