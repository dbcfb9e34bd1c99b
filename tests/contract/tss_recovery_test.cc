// A TPM that goes, comes back, forgets or is another one.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "tests/contract/tss_subject.h"
#include "tests/contract/verify.h"

namespace keyscope::test {
namespace {

using tpm::Hash;

class TssRecovery : public TssTest {
 protected:
  TssRecovery() : key(NewKey(backend, root, "key", kP256)) {}

  void ExpectSigns() {
    const Bytes signature = SignWith(key);
    EXPECT_TRUE(
        Verifies(backend.PublicOf(key.blob), Hash::Sha256, DigestFor(Hash::Sha256), signature));
  }

  tpm::KeyRef key;
};

TEST_F(TssRecovery, SignsAfterTheTpmWasKilledAndRestarted) {
  for (int warm_up : {1, 3}) {  // without and with a held session
    for (int i = 0; i < warm_up; ++i) ExpectSigns();
    subject.swtpm().Kill();
    subject.swtpm().Start();
    ExpectSigns();
  }
}

TEST_F(TssRecovery, SignsThroughADirectConnectionAfterARestart) {
  const auto direct = tpm::MakeBackend({.tcti = subject.swtpm().tcti(), .owner_auth = {}});
  proxy.Disconnect();  // swtpm serves one client at a time
  for (int round = 0; round < 3; ++round) {
    EXPECT_NO_THROW(
        direct->Sign(root, key, tpm::SignScheme::Ecdsa, Hash::Sha256, DigestFor(Hash::Sha256)));
    subject.swtpm().Kill();
    subject.swtpm().Start();
  }
}

TEST_F(TssRecovery, UnsealsAfterARestartWithoutALostTry) {
  const auto sealed = backend.Seal(root, Secret("1234"), Secret("secret"));
  backend.Unseal(root, sealed, Secret("1234"));
  subject.StopTpm();
  subject.swtpm().Start();
  EXPECT_EQ(AsString(backend.Unseal(root, sealed, Secret("1234")).view()), "secret");
  EXPECT_EQ(backend.ReadLockout().tries_used, 0U);
}

TEST_F(TssRecovery, WhileTheTpmIsAwayTheDeviceIsGone) {
  ExpectSigns();
  subject.StopTpm();
  EXPECT_EQ(FaultOf([&] { SignWith(key); }), Fault::DeviceGone);
  EXPECT_EQ(FaultOf([&] { backend.ReadLockout(); }), Fault::DeviceGone);
  backend.Release({});
  subject.swtpm().Start();
  ExpectSigns();
}

TEST_F(TssRecovery, NobodyListens) {
  const auto nowhere = tpm::MakeBackend({.tcti = "swtpm:host=127.0.0.1,port=1", .owner_auth = {}});
  EXPECT_FALSE(nowhere->Present());
  EXPECT_EQ(FaultOf([&] { nowhere->EnsureRoot(); }), Fault::DeviceGone);
  const auto no_such_tcti = tpm::MakeBackend({.tcti = "nonsense:", .owner_auth = {}});
  EXPECT_FALSE(no_such_tcti->Present());
}

// Writing to what has ended is SIGPIPE, which would end the process.
TEST_F(TssRecovery, AServiceThatEndedIsGoneAndTheHostsSignalsAreItsOwn) {
  const auto ended = tpm::MakeBackend({.tcti = "cmd:true", .owner_auth = {}});
  const auto fail = [&] {
    EXPECT_TRUE(ended->Present());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_EQ(FaultOf([&] { ended->EnsureRoot(); }), Fault::DeviceGone);
  };
  fail();
  sigset_t sigpipe, before, pending;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  fail();
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0) << "ours";
  raise(SIGPIPE);
  fail();
  const timespec now{};
  EXPECT_EQ(sigtimedwait(&sigpipe, nullptr, &now), SIGPIPE) << "the host's";
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(TssRecovery, AnotherTpmIsToldApart) {
  const auto sealed = backend.Seal(root, Secret("1234"), Secret("secret"));
  ExpectSigns();
  subject.swtpm().Replace();
  // Without a root at the handle, then with another root there.
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(FaultOf([&] { SignWith(key); }), Fault::KeyGone);
    EXPECT_EQ(FaultOf([&] { backend.Unseal(root, sealed, Secret("1234")); }), Fault::KeyGone);
    EXPECT_EQ(FaultOf([&] { backend.Create(root, kP256, AuthOf("new")); }), Fault::KeyGone);
    EXPECT_EQ(FaultOf([&] { backend.Seal(root, Secret("1"), Secret("s")); }), Fault::KeyGone);
    EXPECT_EQ(backend.ReadLockout().tries_used, 0U);
    EXPECT_NE(backend.EnsureRoot().name, root.name);
  }
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssRecovery, ObjectsFlushedBehindOurBackAreLoadedAgain) {
  for (int i = 0; i < 3; ++i) ExpectSigns();
  for (uint32_t handle : proxy.LoadedHandles()) {
    const Bytes flush = {0x80,
                         0x01,
                         0,
                         0,
                         0,
                         14,
                         0,
                         0,
                         0x01,
                         0x65,
                         static_cast<uint8_t>(handle >> 24),
                         static_cast<uint8_t>(handle >> 16),
                         static_cast<uint8_t>(handle >> 8),
                         static_cast<uint8_t>(handle)};
    proxy.Ask(flush);
  }
  ASSERT_TRUE(proxy.LoadedHandles().empty());
  ExpectSigns();
}

// Without a resource manager a killed process's sessions stay, and a TPM has room for three.
TEST_F(TssRecovery, SessionsThatAKilledProcessLeftMakeRoom) {
  for (int i = 0; i < 3; ++i) TakeASession();
  ASSERT_EQ(proxy.LoadedHandles().size(), 3U);
  ExpectSigns();
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssRecovery, ATransientRootIsMadeWhenNeeded) {
  tpm::Root transient = root;
  transient.handle = 0;  // the same template gives the same key
  const auto sealed = backend.Seal(transient, Secret("1234"), Secret("secret"));
  EXPECT_EQ(AsString(backend.Unseal(transient, sealed, Secret("1234")).view()), "secret");
  std::vector<tpm::KeyRef> keys;
  for (int i = 0; i < 4; ++i) keys.push_back(NewKey(backend, transient, std::to_string(i), kP256));
  for (int round = 0; round < 2; ++round)
    for (const auto& one : keys)
      EXPECT_NO_THROW(backend.Sign(transient, one, tpm::SignScheme::Ecdsa, Hash::Sha256,
                                   DigestFor(Hash::Sha256)));
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssRecovery, ABrokenRootIsCorrupt) {
  tpm::Root broken = root;
  broken.public_area.pop_back();
  EXPECT_EQ(FaultOf([&] { backend.Create(broken, kP256, AuthOf("k")); }), Fault::Corrupt);
  broken = root;
  broken.handle = 0x4000000B;  // TPM_RH_ENDORSEMENT
  EXPECT_EQ(FaultOf([&] { backend.Create(broken, kP256, AuthOf("k")); }), Fault::Corrupt);
  broken = root;
  broken.public_area = key.blob.public_area;
  EXPECT_EQ(FaultOf([&] { backend.Create(broken, kP256, AuthOf("k")); }), Fault::Corrupt);
}

TEST_F(TssRecovery, ManyThreadsShareOneBackend) {
  const auto other = NewKey(backend, root, "other", kP256);
  std::atomic<int> failures = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        try {
          SignWith(t % 2 == 0 ? key : other);
          if (i % 10 == 9) backend.Release({});
          if (i % 7 == 3) backend.Release(key.uid);
        } catch (const Error&) {
          ++failures;
        }
      }
    });
  threads.clear();
  EXPECT_EQ(failures, 0);
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssRecovery, AChildOfForkConnectsAnew) {
  for (int i = 0; i < 3; ++i) ExpectSigns();
  const Bytes auth = Copy(key.auth.view());  // a child does not inherit secrets
  const pid_t child = ::fork();
  if (child == 0) {
    bool ok = true;
    try {
      key.auth = SecretBytes(ByteView(auth));
      const auto own = tpm::MakeBackend({.tcti = proxy.tcti(), .owner_auth = {}});
      for (int i = 0; i < 3; ++i)
        own->Sign(root, key, tpm::SignScheme::Ecdsa, Hash::Sha256, DigestFor(Hash::Sha256));
      own->Release({});
    } catch (...) {
      ok = false;
    }
    ::_exit(ok ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ExpectSigns();
}

}  // namespace
}  // namespace keyscope::test
