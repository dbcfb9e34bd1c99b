// Uses of loaded keys that overlap: two at a time, each with a session of its own.
#include <functional>
#include <thread>
#include <vector>

#include "tests/contract/tss_subject.h"
#include "tests/contract/verify.h"

namespace keyscope::test {
namespace {

using tpm::Hash;

class TssOverlap : public TssTest {
 protected:
  TssOverlap() : key(NewKey(backend, root, "key", kP256)) { Burst(1, 2); }

  void ExpectSigns() {
    EXPECT_TRUE(
        Verifies(backend.PublicOf(key.blob), Hash::Sha256, DigestFor(Hash::Sha256), SignWith(key)));
  }
  void Burst(int threads, int each) {
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t)
      all.emplace_back([=, this] {
        for (int i = 0; i < each; ++i) ExpectSigns();
      });
  }
  size_t Sessions() {
    const auto handles = proxy.LoadedHandles();
    return static_cast<size_t>(
        std::ranges::count_if(handles, [](uint32_t handle) { return handle >> 24 != 0x80; }));
  }
  // Runs `other` while the TPM is at a signature of another thread.
  void WhileItSigns(const std::function<void()>& other) {
    proxy.Inject(0, {Harm::Kind::Hold});
    std::jthread first([&] { ExpectSigns(); });
    ASSERT_TRUE(proxy.AwaitHeld());
    std::jthread second(other);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(proxy.LetGo());
  }

  tpm::KeyRef key;
};

// Threads that do `work` over and over until this goes.
class Busy {
 public:
  Busy(int threads, const std::function<void()>& work) {
    for (int t = 0; t < threads; ++t)
      threads_.emplace_back([=](const std::stop_token& stop) {
        while (!stop.stop_requested()) work();
      });
  }
  ~Busy() {
    for (std::jthread& thread : threads_) thread.request_stop();
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::vector<std::jthread> threads_;
};

TEST_F(TssOverlap, OneThreadHasOneSession) {
  Burst(1, 10);
  EXPECT_EQ(Sessions(), 1U);
}

TEST_F(TssOverlap, ThreadsTakeOneMoreSessionAndOneCommandEach) {
  proxy.Reset();
  WhileItSigns([&] { ExpectSigns(); });
  EXPECT_EQ(Sessions(), 2U);
  Burst(8, 20);
  EXPECT_EQ(Sessions(), 2U);
  const std::map<uint32_t, int> expected{{TPM2_CC_StartAuthSession, 1}, {TPM2_CC_Sign, 2 + 8 * 20}};
  EXPECT_EQ(proxy.Counts(), expected);
  std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  EXPECT_EQ(Sessions(), 0U) << "they are given back in an idle second";
}

TEST_F(TssOverlap, WhereTheTpmHasNoRoomForASecondSessionOneServes) {
  for (int i = 0; i < 2; ++i) TakeASession();
  ASSERT_EQ(Sessions(), 3U);
  proxy.Reset();
  WhileItSigns([&] { ExpectSigns(); });
  Burst(8, 10);
  const std::map<uint32_t, int> expected{{TPM2_CC_StartAuthSession, 1}, {TPM2_CC_Sign, 2 + 8 * 10}};
  EXPECT_EQ(proxy.Counts(), expected) << "asked for once";
  EXPECT_EQ(Sessions(), 3U);
}

TEST_F(TssOverlap, OtherOperationsHaveTheirTurn) {
  proxy.Reset();
  {
    const Busy signers(4, [this] { ExpectSigns(); });
    for (int i = 0; i < 10; ++i) backend.Create(root, kP256, AuthOf("new"));
  }
  EXPECT_EQ(proxy.Counts()[TPM2_CC_Create], 10);
  EXPECT_LT(proxy.Counts()[TPM2_CC_Sign], 10 * 100) << "none waited for long";
}

TEST_F(TssOverlap, AKeyIsGivenBackBetweenUses) {
  {
    const Busy signers(4, [this] { ExpectSigns(); });
    for (int i = 0; i < 10; ++i) {
      backend.Release(key.uid);
      backend.Release({});
    }
  }
  backend.Release({});
  EXPECT_EQ(proxy.LoadedHandles(), std::vector<uint32_t>());
}

TEST_F(TssOverlap, AnAnswerThatTakesLongerThanTheIdleSecondFindsItsSession) {
  proxy.Inject(0, {Harm::Kind::Hold});
  std::jthread first([&] { ExpectSigns(); });
  ASSERT_TRUE(proxy.AwaitHeld());
  std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  proxy.Reset();
  EXPECT_TRUE(proxy.LetGo());
  first.join();
  EXPECT_EQ(proxy.Total(), 0) << "nothing was given back meanwhile";
  ExpectSigns();
}

TEST_F(TssOverlap, TheTpmGoesAndComesBackMeanwhile) {
  {
    // Refused while it is away.
    const Busy signers(4, [this] { FaultOf([this] { SignWith(key); }); });
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      subject.swtpm().Kill();
      subject.swtpm().Start();
    }
  }
  ExpectSigns();
}

}  // namespace
}  // namespace keyscope::test
