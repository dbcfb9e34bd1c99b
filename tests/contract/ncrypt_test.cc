// What holds of the NCrypt backend only: names and their scopes, and what the provider answers.
#include <algorithm>

#include "tests/contract/double_subject.h"

namespace keyscope::test {
namespace {

constexpr KeyScope kScopes[] = {KeyScope::Machine, KeyScope::User};

class NcryptBackend : public testing::Test {
 protected:
  tpm::KeyRef Named(KeyScope scope, std::string_view name) {
    SetScopeOfKeys(scope);
    tpm::KeyRef key = NewKey(backend, root, name, kP256);
    SetScopeOfKeys(std::nullopt);
    return key;
  }
  std::optional<Fault> Signs(const tpm::KeyRef& key) {
    return FaultOf([&] {
      backend.Sign(root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256,
                   DigestFor(tpm::Hash::Sha256));
    });
  }
  bool Called(const std::string& part) {
    const auto calls = device.TakeCalls();
    return std::ranges::any_of(
        calls, [&](const std::string& call) { return call.find(part) != std::string::npos; });
  }

  DoubleSubject device;
  tpm::Backend& backend = device.backend();
  tpm::Root root = backend.EnsureRoot();
};

TEST_F(NcryptBackend, NameSpacesAreApart) {
  for (KeyScope scope : kScopes) {
    const tpm::KeyRef key = Named(scope, "one");
    EXPECT_EQ(backend.NamesIn(scope), std::vector<Bytes>{backend.NewName(AsBytes("one"))});
    backend.Release({});
    EXPECT_FALSE(Signs(key));
    tpm::KeyRef other = Ready("one", key.blob);
    other.scope = scope == KeyScope::Machine ? KeyScope::User : KeyScope::Machine;
    EXPECT_EQ(Signs(other), Fault::KeyGone) << "NTE_BAD_KEYSET";
    EXPECT_NO_THROW(backend.EraseNamed(other.scope, backend.NewName(AsBytes("one"))));
    backend.Release({});
    EXPECT_FALSE(Signs(key)) << "the other name space's was erased, which is none";
    backend.EraseNamed(scope, backend.NewName(AsBytes("one")));
    EXPECT_TRUE(backend.NamesIn(scope).empty());
    backend.Release({});
    EXPECT_EQ(Signs(key), Fault::KeyGone);
  }
}

TEST_F(NcryptBackend, EnumeratesWithTheFlagsOfTheScope) {
  device.TakeCalls();
  backend.NamesIn(KeyScope::Machine);
  EXPECT_TRUE(Called("NCryptEnumKeys flags=0x00000020"));
  backend.NamesIn(KeyScope::User);
  EXPECT_TRUE(Called("NCryptEnumKeys flags=0x00000000"));
}

TEST_F(NcryptBackend, ANameIsNeverTakenOver) {
  const tpm::KeyRef key = Named(KeyScope::User, "one");
  tpm::KeySpec spec = kP256;
  spec.name = backend.NewName(AsBytes("one"));
  EXPECT_EQ(FaultOf([&] { backend.Create(root, spec, AuthOf("one")); }), Fault::Exists);
  EXPECT_FALSE(Signs(key));
}

TEST_F(NcryptBackend, CodesBecomeFaults) {
  const tpm::KeyRef key = Named(KeyScope::User, "one");
  struct Row {
    const char* code;
    Fault fault;
  };
  for (const Row& row : {Row{"80090016", Fault::KeyGone}, Row{"8009000D", Fault::KeyGone},
                         Row{"80090011", Fault::KeyGone}, Row{"80092004", Fault::KeyGone},
                         Row{"80090010", Fault::AuthFailed}, Row{"80290408", Fault::AuthFailed},
                         Row{"80280001", Fault::AuthFailed}, Row{"80280803", Fault::LockedOut},
                         Row{"80090029", Fault::Unsupported}, Row{"80290405", Fault::Unsupported},
                         Row{"80090009", Fault::Unsupported}, Row{"80284008", Fault::DeviceGone},
                         Row{"8028400F", Fault::DeviceGone}, Row{"80290401", Fault::DeviceGone},
                         Row{"80090020", Fault::Internal}}) {
    device.Fail(std::string("NCryptSignHash:1:") + row.code);
    EXPECT_EQ(Signs(key), row.fault) << row.code;
    device.Fail({});
    EXPECT_FALSE(Signs(key)) << "the next one works after " << row.code;
  }
}

TEST_F(NcryptBackend, ABusyTpmIsAskedAgainButNotForEver) {
  const tpm::KeyRef key = Named(KeyScope::User, "one");
  device.Fail("NCryptSignHash:1:80280800 NCryptSignHash:2:8028400B");
  EXPECT_FALSE(Signs(key));
  std::string always;
  for (int n = 1; n < 20; ++n) always += "NCryptSignHash:" + std::to_string(n) + ":80280800 ";
  device.Fail(always);
  EXPECT_EQ(Signs(key), Fault::Busy);
}

TEST_F(NcryptBackend, AKeyInThePlaceOfAnotherIsNotUsed) {
  const tpm::KeyRef one = Named(KeyScope::User, "one"), two = Named(KeyScope::User, "two");
  tpm::KeyRef mixed = Ready("one", {two.blob.public_area, one.blob.private_area});
  EXPECT_EQ(Signs(mixed), Fault::Corrupt);
}

TEST_F(NcryptBackend, AClearedTpmIsKnownByItsRoot) {
  const tpm::KeyRef key = Named(KeyScope::User, "one");
  const auto sealed = backend.Seal(root, Secret("1234"), Secret("secret"));
  device.ClearTpm();
  backend.Release({});
  EXPECT_EQ(Signs(key), Fault::KeyGone);
  EXPECT_EQ(FaultOf([&] { backend.Unseal(root, sealed, Secret("1234")); }), Fault::KeyGone);
}

// A provider without the properties for it makes an AK all the same, whose statements tell their
// hash.
TEST_F(NcryptBackend, AnOldProvidersAkSignsWithSha1) {
  const auto hash_of_statement = [&](const std::string& faults) {
    device.Fail(faults);
    const auto made =
        backend.CreateAttested(root, AsBytes("ak"), kRsaAk, AuthOf("ak"), nullptr, Bytes(8, 1));
    device.Fail({});
    backend.Release(AsBytes("ak"));
    return made.creation.signature[3];
  };
  EXPECT_EQ(hash_of_statement({}), 0x0B);
  EXPECT_EQ(hash_of_statement("NCryptSetProperty:3:80090029"), 0x04);
}

// Each call of a sign fails once with each of some codes; afterwards it works.
TEST_F(NcryptBackend, EveryCallMayFail) {
  const tpm::KeyRef key = Named(KeyScope::Machine, "one");
  for (const char* code : {"80090020", "8028400F", "80090016"}) {
    bool reached = true;
    for (int n = 1; reached; ++n) {
      ASSERT_LT(n, 30);
      backend.Release({});
      device.Fail("*:" + std::to_string(n) + ":" + code);
      reached = Signs(key).has_value();
      device.Fail({});
      EXPECT_FALSE(Signs(key)) << n;
    }
  }
}

}  // namespace
}  // namespace keyscope::test
