// Each harm done to each command of each operation: the right fault or none, nothing left in the
// TPM, and the next call works.
#include <algorithm>
#include <mutex>
#include <thread>

#include "tests/contract/credential.h"
#include "tests/contract/provision.h"
#include "tests/contract/tss_subject.h"
#include "tests/contract/verify.h"

namespace keyscope::test {
namespace {

using tpm::Curve;
using tpm::Hash;

struct Case {
  const char* name;
  Harm harm;
  // Allowed outcomes; nullopt is success, after a retry.
  std::vector<std::optional<Fault>> outcomes;
  // The TPM did what it was told and we never learnt the handle: without a resource manager that is
  // lost.
  bool may_leak = false;
};

const std::vector<Case> kCases = {
    {"TPM_RC_FAILURE", {Harm::Kind::Answer, 0x101}, {Fault::DeviceGone}},
    {"TPM_RC_LOCKOUT", {Harm::Kind::Answer, 0x921}, {Fault::LockedOut}},
    {"TPM_RC_NV_RATE", {Harm::Kind::Answer, 0x920}, {Fault::Busy}},
    {"TPM_RC_NV_SPACE", {Harm::Kind::Answer, 0x14b}, {Fault::NoSpace}},
    {"an unknown code", {Harm::Kind::Answer, 0x17e}, {Fault::Io}},
    {"TPM_RC_RETRY", {Harm::Kind::Answer, 0x922}, {std::nullopt}},
    {"TPM_RC_TESTING", {Harm::Kind::Answer, 0x90a}, {std::nullopt}},
    {"TPM_RC_SESSION_MEMORY", {Harm::Kind::Answer, 0x903}, {std::nullopt}},
    {"TPM_RC_REFERENCE_H0", {Harm::Kind::Answer, 0x910}, {std::nullopt}},
    {"TPM_RC_VALUE of the session", {Harm::Kind::Answer, 0x984}, {std::nullopt}},
    {"TPM_RC_OBJECT_MEMORY", {Harm::Kind::Answer, 0x902}, {std::nullopt, Fault::NoSpace}},
    {"a cut before", {Harm::Kind::CutBefore}, {std::nullopt}},
    {"a cut after", {Harm::Kind::CutAfter}, {std::nullopt}, true},
    {"half an answer", {Harm::Kind::Truncate}, {std::nullopt}, true},
    {"garbage", {Harm::Kind::Garbage}, {std::nullopt, Fault::DeviceGone, Fault::KeyGone}, true},
    {"a changed bit", {Harm::Kind::Flip}, {std::nullopt, Fault::DeviceGone, Fault::KeyGone}, true},
};

struct Operation {
  const char* name;
  std::function<void()> run;
  bool flushes = false;  // one of its commands only gives back, which may fail at first
};

class TssFaults : public TssTest {
 protected:
  void FlushLeaked() {
    for (uint32_t handle : proxy.LoadedHandles())
      proxy.Ask(Bytes{0x80, 0x01, 0, 0, 0, 14, 0, 0, 0x01, 0x65, static_cast<uint8_t>(handle >> 24),
                      static_cast<uint8_t>(handle >> 16), static_cast<uint8_t>(handle >> 8),
                      static_cast<uint8_t>(handle)});
  }

  // From a cold start, so that each run sends the same commands.
  std::optional<Fault> RunCold(const Operation& operation) {
    backend.Release({});
    return FaultOf(operation.run);
  }

  void HarmOne(const Operation& operation, const Case& harm, int position) {
    SCOPED_TRACE(std::string(operation.name) + ", command " + std::to_string(position) + ": " +
                 harm.name);
    backend.Release({});
    proxy.Inject(position, harm.harm);
    const auto outcome = FaultOf(operation.run);
    ASSERT_TRUE(proxy.Injected());
    EXPECT_TRUE((operation.flushes && !outcome) ||
                std::find(harm.outcomes.begin(), harm.outcomes.end(), outcome) !=
                    harm.outcomes.end())
        << (outcome ? Name(*outcome) : "success");
    backend.Release({});
    if (harm.may_leak)
      FlushLeaked();
    else
      EXPECT_EQ(proxy.LoadedHandles(), std::vector<uint32_t>());
    EXPECT_EQ(RunCold(operation), std::nullopt);
  }

  void HarmEverywhere(const Operation& operation, const std::vector<Case>& cases) {
    ASSERT_EQ(RunCold(operation), std::nullopt);
    backend.Release({});
    const int commands = Commands(operation.run);
    for (int position = 0; position < commands; ++position)
      for (const Case& harm : cases) HarmOne(operation, harm, position);
  }

  const tpm::KeyRef ec = NewKey(backend, root, "ec", kP256);
  const tpm::KeyRef rsa = NewKey(backend, root, "rsa", {KeyScope::User, tpm::RsaSpec{1024}});
  const tpm::KeyBlob sealed = backend.Seal(root, Secret("1234"), Secret("secret"));
};

TEST_F(TssFaults, KeyOperations) {
  const MadeKey peer = MakeEc(Curve::P256);
  HarmEverywhere({"Sign", [&] { SignWith(ec); }}, kCases);
  HarmEverywhere({"RawRsa", [&] { backend.RawRsa(root, rsa, Bytes(128, 1)); }}, kCases);
  HarmEverywhere(
      {"Ecdh", [&] { backend.Ecdh(root, ec, std::get<tpm::EcPrivate>(peer.parts).public_key); }},
      kCases);
}

// Four threads, two uses at a time: the harm is one use's, or with a cut connection both's.
TEST_F(TssFaults, UsesThatOverlap) {
  for (int position : {0, 1, 2, 7})
    for (const Case& harm : kCases) {
      SCOPED_TRACE(std::string(harm.name) + " " + std::to_string(position));
      for (int i = 0; i < 2; ++i) SignWith(ec);
      proxy.Inject(position, harm.harm);
      std::mutex mutex;
      std::vector<Fault> faults;
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
          for (int i = 0; i < 6; ++i)
            if (const auto fault = FaultOf([&] { SignWith(ec); })) {
              std::lock_guard lock(mutex);
              faults.push_back(*fault);
            }
        });
      threads.clear();
      ASSERT_TRUE(proxy.Injected());
      EXPECT_LE(faults.size(), 1U);
      for (Fault fault : faults)
        EXPECT_TRUE(std::ranges::find(harm.outcomes, std::optional(fault)) != harm.outcomes.end())
            << Name(fault);
      backend.Release({});
      if (harm.may_leak)
        FlushLeaked();
      else
        EXPECT_EQ(proxy.LoadedHandles(), std::vector<uint32_t>());
    }
}

TEST_F(TssFaults, SecretKeys) {
  const auto make = [&](const char* name, const tpm::SecretSpec& spec, size_t size) {
    return Ready(name, backend.CreateSecret(root, spec, SecretBytes(Bytes(size, 1)), AuthOf(name)));
  };
  const tpm::KeyRef aes = make("aes", {KeyScope::User, tpm::AesSpec{128}}, 0);
  const tpm::KeyRef hmac = make("hmac", {KeyScope::User, tpm::HmacSpec{Hash::Sha256}}, 32);
  HarmEverywhere({"RunAes",
                  [&] {
                    Bytes iv(16);
                    backend.RunAes(root, aes, tpm::AesMode::Cbc, tpm::Direction::Encrypt, iv,
                                   Bytes(2048));
                  }},
                 kCases);
  HarmEverywhere({"Hmac", [&] { backend.Hmac(root, hmac, Bytes(10)); }}, kCases);
  HarmEverywhere({"Hmac in parts", [&] { backend.Hmac(root, hmac, Bytes(2100)); }}, kCases);
}

TEST_F(TssFaults, MakingKeys) {
  const MadeKey outside = MakeEc(Curve::P256);
  HarmEverywhere({"Create", [&] { backend.Create(root, kP256, AuthOf("new")); }}, kCases);
  HarmEverywhere({"Seal", [&] { backend.Seal(root, Secret("1"), Secret("s")); }}, kCases);
  HarmEverywhere(
      {"Import", [&] { backend.Import(root, KeyScope::User, outside.parts, AuthOf("new")); }},
      kCases);
}

TEST_F(TssFaults, Unseal) {
  std::vector<Case> cases = kCases;
  for (Case& one : cases)
    // An answer that was tampered with is not asked for again: that could spend a second try.
    if (one.harm.kind == Harm::Kind::Flip || one.harm.kind == Harm::Kind::Garbage)
      one.outcomes.push_back(Fault::AuthFailed);
  HarmEverywhere({"Unseal", [&] { backend.Unseal(root, sealed, Secret("1234")); }}, cases);
  EXPECT_LE(backend.ReadLockout().tries_used, 1U) << "only the changed nonce may cost a try";
}

TEST_F(TssFaults, Attesting) {
  const tpm::KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  const Bytes nonce(8, 1);
  HarmEverywhere({"CreateAttested, of an AK", [&] { NewAk(backend, root, "new", kEcAk); }}, kCases);
  HarmEverywhere({"CreateAttested", [&] { NewAttested(backend, root, "new", kP256, ak); }}, kCases);
  HarmEverywhere({"Certify", [&] { backend.Certify(root, ak, ec, nonce); }}, kCases);
  HarmEverywhere({"Quote", [&] { backend.Quote(root, ak, Hash::Sha256, 1, nonce); }}, kCases);
}

TEST_F(TssFaults, Endorsing) {
  const tpm::KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  // The RSA key takes too long to be made each time; the EC key is made each time.
  Provisioner(proxy.tcti()).PersistEndorsementKey(tpm::EkType::Rsa, 0x81010001);
  HarmEverywhere({"Endorsements", [&] { ASSERT_EQ(backend.Endorsements().size(), 2U); }, true},
                 kCases);
  const tpm::Endorsement ek = backend.Endorsements().back();
  const Credential credential = MakeCredential(ek, backend.NameOf(ak.blob), Bytes(32, 1));
  std::vector<Case> cases = kCases;
  for (Case& one : cases)
    // A failure that the TPM gets over is a credential for somebody else.
    if (one.harm.code == 0x101) one.outcomes.push_back(Fault::BadInput);
  HarmEverywhere({"ActivateCredential",
                  [&] {
                    backend.ActivateCredential(root, ak, ek.type, credential.id_object,
                                               credential.encrypted_secret);
                  },
                  true},
                 cases);
}

TEST_F(TssFaults, KeepingAtAHandle) {
  const uint32_t handle = backend.FreePersistentHandle();
  HarmEverywhere({"FreePersistentHandle", [&] { backend.FreePersistentHandle(); }}, kCases);
  HarmEverywhere({"Persist and Erase",
                  [&] {
                    backend.Persist(root, ec, handle);
                    backend.Erase(handle, backend.NameOf(ec.blob));
                  },
                  true},
                 kCases);
  EXPECT_EQ(backend.FreePersistentHandle(), handle);
}

TEST_F(TssFaults, Questions) {
  HarmEverywhere({"ReadLockout", [&] { backend.ReadLockout(); }}, kCases);
  HarmEverywhere({"LearnFacts", [&] { backend.LearnFacts(); }}, kCases);
  HarmEverywhere({"Random", [&] { backend.Random(100); }}, kCases);
  HarmEverywhere({"StirRandom", [&] { backend.StirRandom(Bytes(5)); }}, kCases);
}

TEST_F(TssFaults, AWrongPinWithoutAnAnswerIsAskedOnceMoreAtMost) {
  backend.Release({});
  proxy.Inject(2, {Harm::Kind::Truncate});
  EXPECT_EQ(FaultOf([&] { backend.Unseal(root, sealed, Secret("wrong")); }), Fault::AuthFailed);
  EXPECT_LE(backend.ReadLockout().tries_used, 2U);
}

TEST_F(TssFaults, ATpmThatStaysBusyIsGivenUp) {
  proxy.Inject(0, {Harm::Kind::Answer, 0x922}, 1000);
  EXPECT_EQ(FaultOf([&] { backend.ReadLockout(); }), Fault::Busy);
  proxy.Inject(0, {}, 0);
  EXPECT_NO_THROW(backend.ReadLockout());
}

TEST_F(TssFaults, WithoutAPersistentHandleTheRootIsTransient) {
  subject.swtpm().Replace();
  proxy.Disconnect();
  // ReadPublic, CreatePrimary, EvictControl.
  proxy.Inject(2, {Harm::Kind::Answer, 0x9a2});
  const tpm::Root transient = backend.EnsureRoot();
  ASSERT_TRUE(proxy.Injected());
  EXPECT_EQ(transient.handle, 0U);
  EXPECT_NO_THROW(backend.Create(transient, kP256, AuthOf("new")));
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

}  // namespace
}  // namespace keyscope::test
