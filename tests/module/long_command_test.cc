// What other threads can do while the TPM is busy for long, as it is when it makes an RSA key.
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

constexpr uint32_t kTpmSign = 0x15d;

class LongCommand : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}}, {{CKA_TOKEN, true}});
    signature = Do(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32));
    proxy().Reset();
    proxy().Inject(0, {.kind = Harm::Kind::Hold});
    generating = std::async(std::launch::async, [] {
      KeyPair made;
      return TryGeneratePair(Open(), CKM_RSA_PKCS_KEY_PAIR_GEN, {{CKA_MODULUS_BITS, 2048}}, {},
                             made);
    });
    ASSERT_TRUE(proxy().AwaitHeld());
  }
  void TearDown() override {
    proxy().LetGo();
    EXPECT_RV(comes_to, generating.get());
    LoggedIn::TearDown();
  }
  // False: it waits for the TPM.
  static bool Ends(const std::future<void>& work) {
    return work.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  }

  KeyPair pair;
  Bytes signature;
  std::future<CK_RV> generating;
  CK_RV comes_to = CKR_OK;
};

TEST_F(LongCommand, WhatNeedsNoTpmDoesNotWait) {
  proxy().Reset();
  const auto work = std::async(std::launch::async, [&] {
    const CK_SESSION_HANDLE own = Open();
    CK_TOKEN_INFO token;
    CK_MECHANISM_INFO mechanism;
    EXPECT_OK(C_GetTokenInfo(kMachineSlot, &token));
    EXPECT_OK(C_GetMechanismInfo(kMachineSlot, CKM_ECDSA, &mechanism));
    EXPECT_FALSE(Find(own, {{CKA_CLASS, CKO_PRIVATE_KEY}}).empty());
    EXPECT_FALSE(Get(own, pair.private_key, CKA_PUBLIC_KEY_INFO).empty());
    EXPECT_OK(Set(own, pair.private_key, {{CKA_LABEL, "new"}}));
    EXPECT_OK(Verify(own, CKM_ECDSA, pair.public_key, Pattern(32), signature));
    Do(kDigest, own, CKM_SHA256, 0, Pattern(32));
    for (bool token_object : {false, true}) {
      const Attributes place{{CKA_TOKEN, token_object}};
      const CK_OBJECT_HANDLE aes = ImportAes(own, Pattern(16), place);
      Do(kEncrypt, own, CKM_AES_ECB, aes, Pattern(32));
      EXPECT_OK(C_DestroyObject(own, Create(own, place.With({{CKA_CLASS, CKO_DATA}}))));
    }
    EXPECT_OK(C_SignInit(own, Mechanism(CKM_ECDSA).get(), pair.private_key));
    EXPECT_OK(C_CloseSession(own));
  });
  EXPECT_TRUE(Ends(work));
  EXPECT_EQ(proxy().Total(), 0);
  EXPECT_TRUE(proxy().LetGo()) << "it was held all the time";
}

// C_Finalize waits for it, and nobody waits for C_Finalize.
TEST_F(LongCommand, TheEndHoldsUpNeitherCallsNorForks) {
  const auto ending = std::async(std::launch::async, [] { EXPECT_OK(C_Finalize(nullptr)); });
  const auto work = std::async(std::launch::async, [] {
    CK_INFO info;
    while (C_GetInfo(&info) == CKR_OK) std::this_thread::yield();
    const pid_t child = fork();
    if (child == 0) _exit(C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED ? 0 : 1);
    int status = 1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  });
  EXPECT_TRUE(Ends(work));
  EXPECT_EQ(ending.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_TRUE(proxy().LetGo());
  EXPECT_TRUE(Ends(ending));
  comes_to = CKR_USER_NOT_LOGGED_IN;  // its login ended with the session
  ASSERT_OK(C_Initialize(nullptr));
}

TEST_F(LongCommand, ASignComesToItsTurn) {
  const CK_SESSION_HANDLE own = Open();
  const auto work = std::async(std::launch::async,
                               [&] { Do(kSign, own, CKM_ECDSA, pair.private_key, Pattern(32)); });
  EXPECT_TRUE(proxy().LetGo());
  EXPECT_TRUE(Ends(work));
  generating.wait();
  EXPECT_EQ(proxy().Counts()[kTpmSign], 1);
}

}  // namespace
}  // namespace keyscope::test
