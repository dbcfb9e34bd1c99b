// How many commands the TSS backend sends: counted from outside (DESIGN.md, "Command budget").
#include <thread>

#include "tests/contract/tss_subject.h"

namespace keyscope::test {
namespace {

class TssBudget : public TssTest {
 protected:
  // The first use of an object under dictionary-attack protection after the start of a TPM makes it
  // answer TPM_RC_RETRY once, while it notes that in its NV memory.
  tpm::KeyBlob SealWarm() {
    tpm::KeyBlob sealed = backend.Seal(root, Secret("1234"), Secret("secret"));
    backend.Unseal(root, sealed, Secret("1234"));
    backend.Release({});
    return sealed;
  }
  static void PassAnIdleSecond() { std::this_thread::sleep_for(std::chrono::milliseconds(1300)); }
};

TEST_F(TssBudget, PresentAndPublicOfSendNothing) {
  const auto key = NewKey(backend, root, "key", kP256);
  EXPECT_EQ(Commands([&] {
              const auto other = subject.NewBackend();
              EXPECT_TRUE(other->Present());
              other->PublicOf(key.blob);
            }),
            0);
}

TEST_F(TssBudget, UnsealTakesThree) {
  const auto sealed = SealWarm();
  EXPECT_EQ(Commands([&] { backend.Unseal(root, sealed, Secret("1234")); }), 3);
}

TEST_F(TssBudget, AColdProcessTakesSeven) {
  const auto key = NewKey(backend, root, "key", kP256);
  const auto sealed = SealWarm();
  EXPECT_EQ(Commands([&] {
              const auto cold = subject.NewBackend();
              cold->Unseal(root, sealed, Secret("1234"));
              cold->Sign(root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256,
                         DigestFor(tpm::Hash::Sha256));
              cold->Release({});
            }),
            7);
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssBudget, ABurstTakesOneEach) {
  const auto key = NewKey(backend, root, "key", kP256);
  SignWith(key);
  SignWith(key);  // from here on the session is held
  EXPECT_EQ(Commands([&] {
              for (int i = 0; i < 50; ++i) SignWith(key);
            }),
            50);
}

TEST_F(TssBudget, AnIsolatedSignTakesTwoAndLeavesTheKeyOnly) {
  const auto key = NewKey(backend, root, "key", kP256);
  SignWith(key);
  PassAnIdleSecond();
  EXPECT_EQ(Commands([&] { SignWith(key); }), 2);
  EXPECT_EQ(proxy.LoadedHandles().size(), 1U);
}

TEST_F(TssBudget, AHeldSessionIsGivenBackByItself) {
  const auto key = NewKey(backend, root, "key", kP256);
  for (int i = 0; i < 3; ++i) SignWith(key);
  EXPECT_EQ(proxy.LoadedHandles().size(), 2U) << "the key and the session";
  PassAnIdleSecond();
  EXPECT_EQ(proxy.LoadedHandles().size(), 1U) << "the key";
}

TEST_F(TssBudget, WithoutThreadsNoSessionIsHeld) {
  TssSubject single(false);
  const tpm::Root its_root = single.backend().EnsureRoot();
  const auto sealed = single.backend().Seal(its_root, Secret("1234"), Secret("secret"));
  const auto key = NewKey(single.backend(), its_root, "key", kP256);
  single.backend().Unseal(its_root, sealed, Secret("1234"));
  for (int i = 0; i < 3; ++i)
    single.backend().Sign(its_root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256,
                          DigestFor(tpm::Hash::Sha256));
  const auto ak = NewAk(single.backend(), its_root, "ak", kEcAk);
  NewAttested(single.backend(), its_root, "attested", kP256, ak);
  for (uint32_t handle : single.proxy().LoadedHandles()) EXPECT_EQ(handle >> 24, 0x80U);
}

TEST_F(TssBudget, CreateTakesTwoAtMost) {
  EXPECT_LE(Commands([&] { NewKey(backend, root, "one", kP256); }), 2);
  EXPECT_LE(Commands([&] { NewKey(backend, root, "two", kRsa2048); }), 2);
}

TEST_F(TssBudget, AlternatingAmongMoreKeysThanSlotsTakesThree) {
  std::vector<tpm::KeyRef> keys;
  for (int i = 0; i < 9; ++i) keys.push_back(NewKey(backend, root, std::to_string(i), kP256));
  for (const auto& key : keys) SignWith(key);  // learns how many slots there are
  EXPECT_EQ(Commands([&] {
              for (const auto& key : keys) SignWith(key);
            }),
            27);
  const auto counts = proxy.Counts();
  EXPECT_EQ(counts, (std::map<uint32_t, int>{
                        {TPM2_CC_FlushContext, 9}, {TPM2_CC_Load, 9}, {TPM2_CC_Sign, 9}}));
}

TEST_F(TssBudget, AFullTpmIsSharedWithOthers) {
  const auto key = NewKey(backend, root, "key", kP256);
  SignWith(key);
  const auto other = subject.NewBackend();
  const auto others_key = NewKey(*other, root, "other", kP256);
  for (int i = 0; i < 3; ++i) {
    SignWith(key);
    other->Sign(root, others_key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256,
                DigestFor(tpm::Hash::Sha256));
  }
  other->Release({});
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

}  // namespace
}  // namespace keyscope::test
