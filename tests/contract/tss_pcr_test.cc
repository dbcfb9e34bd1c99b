// Keys that are bound to PCRs on the TSS backend: commands counted, and what is said of PCRs that
// have changed.
#include <gmock/gmock.h>

#include <thread>

#include "tests/contract/tss_subject.h"
#include "tests/support/pcr.h"

namespace keyscope::test {
namespace {

using tpm::Hash;
using tpm::KeyRef;
using Counts = std::map<uint32_t, int>;

class TssPcr : public TssTest {
 protected:
  Counts CountsOf(const std::function<void()>& action) {
    Commands(action);
    return proxy.Counts();
  }
  KeyRef NewBound(std::string_view name, uint32_t pcrs) {
    tpm::KeySpec spec = kP256;
    spec.pcrs = backend.ReadPcrs(root, {Hash::Sha256, pcrs});
    KeyRef key = NewKey(backend, root, name, spec);
    key.pcrs = spec.pcrs;
    return key;
  }
  static void PassAnIdleSecond() { std::this_thread::sleep_for(std::chrono::milliseconds(1300)); }
  std::string WhySignFails(const KeyRef& key) {
    try {
      SignWith(key);
      return "it does not";
    } catch (const Error& error) {
      return error.what();
    }
  }
};

TEST_F(TssPcr, MakingOneTakesThree) {
  EXPECT_EQ(CountsOf([&] { NewBound("key", 0x81); }),
            (Counts{{TPM2_CC_StartAuthSession, 1}, {TPM2_CC_PCR_Read, 1}, {TPM2_CC_Create, 1}}));
  EXPECT_EQ(CountsOf([&] { NewBound("all", 0xffffff); }),
            (Counts{{TPM2_CC_StartAuthSession, 1}, {TPM2_CC_PCR_Read, 3}, {TPM2_CC_Create, 1}}))
      << "a TPM tells eight PCRs at a time";
}

TEST_F(TssPcr, AnIsolatedSignTakesFourAndLeavesTheKeyOnly) {
  const KeyRef key = NewBound("key", 0x81);
  SignWith(key);
  PassAnIdleSecond();
  EXPECT_EQ(CountsOf([&] { SignWith(key); }), (Counts{{TPM2_CC_StartAuthSession, 1},
                                                      {TPM2_CC_PolicyPCR, 1},
                                                      {TPM2_CC_PolicyAuthValue, 1},
                                                      {TPM2_CC_Sign, 1}}));
  EXPECT_EQ(proxy.LoadedHandles().size(), 1U);
}

TEST_F(TssPcr, ABurstTakesThreeEach) {
  const KeyRef key = NewBound("key", 0x81);
  SignWith(key);
  SignWith(key);  // from here on the session is held
  EXPECT_EQ(CountsOf([&] {
              for (int i = 0; i < 10; ++i) SignWith(key);
            }),
            (Counts{{TPM2_CC_PolicyPCR, 10}, {TPM2_CC_PolicyAuthValue, 10}, {TPM2_CC_Sign, 10}}));
  EXPECT_EQ(proxy.LoadedHandles().size(), 2U) << "the key and the session";
  PassAnIdleSecond();
  EXPECT_EQ(proxy.LoadedHandles().size(), 1U) << "the key";
}

TEST_F(TssPcr, OrdinaryKeysBesideItTakeOneEach) {
  const KeyRef bound = NewBound("bound", 0x81), ordinary = NewKey(backend, root, "key", kP256);
  const auto both = [&] {
    SignWith(bound);
    SignWith(ordinary);
  };
  for (int i = 0; i < 3; ++i) both();
  EXPECT_EQ(CountsOf(both),
            (Counts{{TPM2_CC_PolicyPCR, 1}, {TPM2_CC_PolicyAuthValue, 1}, {TPM2_CC_Sign, 2}}));
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssPcr, WhichPcrsHaveChangedIsSaid) {
  const KeyRef key = NewBound("key", 0x81);
  SignWith(key);
  PassAnIdleSecond();
  ExtendPcr(proxy, 7);
  EXPECT_EQ(CountsOf([&] {
              EXPECT_THAT(WhySignFails(key), testing::HasSubstr("PCRs sha256:7 no longer"));
            }),
            (Counts{{TPM2_CC_StartAuthSession, 1},
                    {TPM2_CC_PolicyPCR, 1},
                    {TPM2_CC_PCR_Read, 1},
                    {TPM2_CC_FlushContext, 1}}));
  EXPECT_EQ(proxy.LoadedHandles().size(), 1U) << "the key";
  ExtendPcr(proxy, 0);
  EXPECT_THAT(WhySignFails(key), testing::HasSubstr("PCRs sha256:0,7 no longer"));
}

TEST_F(TssPcr, ItWorksAgainWhenThePcrsDo) {
  const KeyRef key = NewBound("key", 1 << 16);
  ExtendPcr(proxy, 16);
  EXPECT_EQ(FaultOf([&] { SignWith(key); }), Fault::PolicyMismatch);
  ResetPcr(proxy, 16);
  EXPECT_EQ(SignWith(key).size(), 64U);
}

// Another PCR, which the key is not bound to, was extended after TPM2_PolicyPCR.
TEST_F(TssPcr, AnExtensionInBetweenIsGotOver) {
  const KeyRef key = NewBound("key", 0x81);
  SignWith(key);
  PassAnIdleSecond();
  proxy.Inject(3, {.kind = Harm::Kind::Answer, .code = TPM2_RC_PCR_CHANGED});
  EXPECT_EQ(SignWith(key).size(), 64U);
  EXPECT_TRUE(proxy.Injected());
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

// Read by a session that is salted to the root: nobody on the bus can change what a key is bound
// to.
TEST_F(TssPcr, ValuesThatWereChangedOnTheWayAreRefused) {
  const auto read = [&] { return backend.ReadPcrs(root, {Hash::Sha256, 1}).values; };
  const Bytes values = read();
  proxy.Inject(0, {.kind = Harm::Kind::Flip});
  EXPECT_EQ(read(), values) << "asked again";
  EXPECT_TRUE(proxy.Injected());
  proxy.Inject(0, {.kind = Harm::Kind::Flip}, 20);
  EXPECT_EQ(FaultOf(read), Fault::KeyGone);
  proxy.Inject(0, {}, 0);
  EXPECT_EQ(read(), values);
}

}  // namespace
}  // namespace keyscope::test
