// How many TPM commands each call sends (DESIGN.md, "Command budget"). Exact numbers, so that a
// growth shows.
#include <thread>

#include "p11/cryptoki.h"
#include "p11/keyscope.h"
#include "tests/module/usual.h"

namespace keyscope::test {
namespace {

class Budget : public Module {
 protected:
  // The first use of an object under dictionary-attack protection after the start of a TPM makes it
  // answer TPM_RC_RETRY once, while it notes that in its NV memory.
  void SetUp() override {
    Module::SetUp();
    for (CK_SLOT_ID slot : {kMachineSlot, kUserSlot}) ASSERT_OK(C_CloseSession(OpenLoggedIn(slot)));
  }
  static void PassAnIdleSecond() { std::this_thread::sleep_for(std::chrono::milliseconds(1400)); }
  static Bytes Sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
    return Do(kSign, session, CKM_ECDSA, key, Pattern(32));
  }
};

TEST_F(Budget, WhatNeedsNoTpmSendsNothing) {
  ASSERT_OK(C_Finalize(nullptr));
  EXPECT_EQ(Commands([] {
              EXPECT_OK(C_Initialize(nullptr));
              CK_SLOT_ID slots[2];
              CK_ULONG count = 2;
              EXPECT_OK(C_GetSlotList(CK_TRUE, slots, &count));
              for (CK_SLOT_ID slot : slots) {
                CK_SLOT_INFO slot_info;
                CK_TOKEN_INFO info;
                CK_MECHANISM_INFO mechanism;
                EXPECT_OK(C_GetSlotInfo(slot, &slot_info));
                EXPECT_OK(C_GetTokenInfo(slot, &info));
                EXPECT_FALSE(MechanismList(slot).empty());
                EXPECT_OK(C_GetMechanismInfo(slot, CKM_ECDSA, &mechanism));
                Find(Open(slot), {});
              }
            }),
            0);
}

TEST_F(Budget, SoftwareWorkSendsNothing) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const KeyPair rsa = GenerateRsa(session), ec = GenerateEc(session, P256(), {{CKA_TOKEN, true}});
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16), {{CKA_TOKEN, true}});
  const Bytes signature = Sign(session, ec.private_key);
  EXPECT_EQ(Commands([&] {
              EXPECT_OK(Verify(session, CKM_ECDSA, ec.public_key, Pattern(32), signature));
              Do(kDigest, session, CKM_SHA256, 0, Pattern(32));
              Do(kEncrypt, session, CKM_RSA_PKCS, rsa.public_key, Pattern(32));
              Do(kEncrypt, session, CKM_AES_ECB, aes, Pattern(32));
              Find(session, {{CKA_CLASS, CKO_PRIVATE_KEY}});
              Get(session, ec.private_key, CKA_PUBLIC_KEY_INFO);
              EXPECT_OK(Set(session, ec.private_key, {{CKA_LABEL, "new"}}));
              EXPECT_OK(C_SignInit(session, Mechanism(CKM_ECDSA).get(), ec.private_key));
            }),
            0);
}

TEST_F(Budget, ALoginTakesThree) {
  const CK_SESSION_HANDLE session = Open();
  EXPECT_EQ(Commands([&] { EXPECT_OK(Login(session, CKU_USER, kUserPin)); }), 3);
}

TEST_F(Budget, ABurstTakesOneEach) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}});
  for (int i = 0; i < 2; ++i)
    Sign(session, pair.private_key);  // from here on the HMAC session is held
  EXPECT_EQ(Commands([&] {
              for (int i = 0; i < 20; ++i) Sign(session, pair.private_key);
            }),
            20);
}

TEST_F(Budget, RsaAndEcdhTakeOneEachToo) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const UsualKeys keys(session);
  const KeyPair rsa = keys.For(CKM_RSA_PKCS), ec = keys.For(CKM_ECDSA);
  const Bytes cipher = Do(kEncrypt, session, CKM_RSA_PKCS, rsa.public_key, Pattern(32));
  auto decrypt = [&] { Do(kDecrypt, session, CKM_RSA_PKCS, rsa.private_key, cipher); };
  auto derive = [&] {
    Attributes attributes{{CKA_CLASS, CKO_SECRET_KEY}};
    CK_OBJECT_HANDLE key;
    EXPECT_OK(C_DeriveKey(session, Usual(CKM_ECDH1_DERIVE, keys.point()).get(), ec.private_key,
                          attributes.data(), attributes.size(), &key));
  };
  for (int i = 0; i < 3; ++i) {
    decrypt();
    derive();
  }
  EXPECT_EQ(Commands(decrypt), 1);
  EXPECT_EQ(Commands(derive), 1);
}

TEST_F(Budget, SecretKeysInTheTpm) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const Attributes closed{{CKA_TOKEN, true}, {CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false}};
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16), closed),
                         hmac = ImportSecret(session, Pattern(20),
                                             closed.With({{CKA_KEY_TYPE, CKK_SHA256_HMAC}}));
  const Mechanism cbc(CKM_AES_CBC_PAD, Pattern(16)), gcm = Gcm(Pattern(12), Pattern(20), 128);
  struct Row {
    const OperationRow& operation;
    Mechanism mechanism;
    CK_OBJECT_HANDLE key;
    size_t size;
    int commands;
  };
  // Besides the data's, one for each KiB: GCM has its subkey and its tag's mask, CMAC its subkey.
  const Row rows[] = {{kEncrypt, CKM_AES_ECB, aes, 1024, 1},
                      {kEncrypt, cbc, aes, 20, 2},
                      {kEncrypt, cbc, aes, 4096, 5},
                      {kEncrypt, gcm, aes, 16, 3},
                      {kEncrypt, gcm, aes, 2048, 4},
                      {kSign, CKM_AES_CMAC, aes, 16, 2},
                      {kSign, CKM_SHA256_HMAC, hmac, 1024, 1},
                      {kSign, CKM_SHA256_HMAC, hmac, 4096, 5},
                      {kEncrypt, CKM_AES_KEY_WRAP, aes, 32, 24}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message()
                 << row.operation.name << " " << row.mechanism.type() << " " << row.size);
    auto run = [&] { Do(row.operation, session, row.mechanism, row.key, Pattern(row.size)); };
    for (int i = 0; i < 2; ++i) run();
    EXPECT_EQ(Commands(run), row.commands);
  }
  EXPECT_EQ(Commands([&] { EXPECT_OK(C_EncryptInit(session, gcm.get(), aes)); }), 0);
}

// Made by the TPM, loaded, and used for its check value.
TEST_F(Budget, AGeneratedAesKeyTakesFour) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  Attributes attributes{{CKA_TOKEN, true}, {CKA_VALUE_LEN, 32}};
  CK_OBJECT_HANDLE key;
  EXPECT_EQ(Commands([&] {
              EXPECT_OK(C_GenerateKey(session, Mechanism(CKM_AES_KEY_GEN).get(), attributes.data(),
                                      attributes.size(), &key));
            }),
            4);
}

TEST_F(Budget, AnIsolatedSignTakesTwo) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}});
  Sign(session, pair.private_key);
  PassAnIdleSecond();
  EXPECT_EQ(Commands([&] { Sign(session, pair.private_key); }), 2);
}

TEST_F(Budget, MoreKeysThanTheTpmHasRoomForTakeThreeEach) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  std::vector<KeyPair> pairs;
  for (int i = 0; i < 8; ++i) pairs.push_back(GenerateEc(session));
  for (const KeyPair& pair : pairs) Sign(session, pair.private_key);
  EXPECT_EQ(Commands([&] {
              for (const KeyPair& pair : pairs) Sign(session, pair.private_key);
            }),
            8 * 3);
}

TEST_F(Budget, AColdProcessTakesSeven) {
  const CK_SESSION_HANDLE warm = OpenLoggedIn();
  GenerateEc(warm, P256(), {{CKA_TOKEN, true}, {CKA_LABEL, "key"}});
  ASSERT_OK(C_Finalize(nullptr));
  EXPECT_EQ(Commands([&] {
              EXPECT_OK(C_Initialize(nullptr));
              const CK_SESSION_HANDLE session = OpenLoggedIn();
              const auto found = Find(session, {{CKA_LABEL, "key"}});
              ASSERT_EQ(found.size(), 1U);
              Sign(session, found[0]);
              EXPECT_OK(C_Finalize(nullptr));
            }),
            7);
}

// A salted session for the key's authorization, and TPM2_Create; in a burst the session is held.
TEST_F(Budget, AKeyPairTakesTwoAndInABurstOne) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const auto generate = [&] { GenerateEc(session, P256(), {{CKA_TOKEN, true}}); };
  generate();
  EXPECT_EQ(Commands(generate), 2);
  EXPECT_EQ(Commands(generate), 1);
}

// Room is made for the new key: TPM2_FlushContext, TPM2_Create, TPM2_Load and TPM2_Sign.
TEST_F(Budget, KeysThatAreMadeAndUsedInTurnTakeFourEach) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const auto both = [&] { Sign(session, GenerateEc(session).private_key); };
  for (int i = 0; i < 3; ++i) both();
  EXPECT_EQ(Commands(both), 4);
}

// Its PCRs are read before it is made. Each use fulfils its policy: TPM2_PolicyPCR and
// TPM2_PolicyAuthValue.
TEST_F(Budget, AKeyBoundToPcrsTakesTwoMoreForEachUse) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  KeyPair pair = GenerateEc(session);
  EXPECT_EQ(Commands([&] {
              pair = GenerateEc(session, P256(), {{CKA_KEYSCOPE_PCR_SELECTION, "sha256:0,7"}});
            }),
            3);
  Sign(session, pair.private_key);
  PassAnIdleSecond();
  EXPECT_EQ(Commands([&] { Sign(session, pair.private_key); }), 4);
  Sign(session, pair.private_key);
  EXPECT_EQ(Commands([&] { Sign(session, pair.private_key); }), 3);
}

TEST_F(Budget, BadInputSendsNothing) {
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  const KeyPair ec = GenerateEc(session);
  EXPECT_EQ(
      Commands([&] {
        EXPECT_RV(CKR_DATA_LEN_RANGE, Try(kSign, session, CKM_ECDSA, ec.private_key, Pattern(65)));
        EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
                  Try(kSign, session, CKM_ECDSA, ec.public_key, Pattern(32)));
        KeyPair pair;
        EXPECT_RV(CKR_KEY_SIZE_RANGE, TryGeneratePair(session, CKM_RSA_PKCS_KEY_PAIR_GEN,
                                                      {{CKA_MODULUS_BITS, 123}}, {}, pair));
        EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
                  TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, "x"}}, {}, pair));
      }),
      0);
}

}  // namespace
}  // namespace keyscope::test
