// What holds of every Backend: keys that were made before they came to it.
#include "tests/contract/contract.h"
#include "tests/contract/verify.h"

namespace keyscope::test {
namespace {

using tpm::ForeignKey;
using tpm::Hash;
using tpm::SignScheme;

constexpr uint32_t kOwner = 0x40000001;  // TPM_RH_OWNER

class ContractAdopt : public Contract {
 protected:
  void SetUp() override {
    if (facts.no_import) GTEST_SKIP() << "no keys from outside";
  }
  // As another program keeps a key that it had made: with an auth value of its choice.
  ForeignKey Foreign(const tpm::KeySpec& spec, std::string_view old_auth,
                     uint32_t parent = kOwner) {
    return {backend().Create(root, spec, Secret(old_auth)), {}, parent, Secret(old_auth)};
  }
  std::optional<Fault> FaultOfAdopting(const ForeignKey& key) {
    return FaultOf([&] { backend().Adopt(root, key, AuthOf("k")); });
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, ContractAdopt, testing::ValuesIn(Kinds()), KindName);

TEST_P(ContractAdopt, AnAdoptedKeyWorksWithItsNewAuth) {
  for (const tpm::KeySpec* spec : {&kP256, &kRsa2048}) {
    const bool rsa = spec == &kRsa2048;
    for (uint32_t parent : {kOwner, root.handle}) {
      const ForeignKey foreign = Foreign(*spec, "its own", parent);
      const tpm::KeyBlob adopted = backend().Adopt(root, foreign, AuthOf("k"));
      const tpm::KeyUses uses = backend().UsesOf(adopted);
      EXPECT_TRUE(uses.signs && uses.decrypts);
      EXPECT_EQ(backend().NameOf(adopted), backend().NameOf(foreign.blob));
      const auto sign = [&](const tpm::KeyRef& key) {
        return backend().Sign(root, key, rsa ? SignScheme::RsaPkcs1 : SignScheme::Ecdsa,
                              Hash::Sha256, DigestFor(Hash::Sha256));
      };
      EXPECT_TRUE(Verifies(backend().PublicOf(foreign.blob), Hash::Sha256, DigestFor(Hash::Sha256),
                           sign(Ready("k", adopted))));
      backend().Release({});
      tpm::KeyRef old = Ready("k", adopted);
      old.auth = Secret("its own");
      EXPECT_EQ(FaultOf([&] { sign(old); }), Fault::AuthFailed) << "the old auth value";
      backend().Release({});
    }
  }
}

TEST_P(ContractAdopt, AKeyWithoutAuthGetsOne) {
  const auto adopted = backend().Adopt(root, Foreign(kP256, ""), AuthOf("k"));
  const tpm::KeyRef key = Ready("k", adopted);
  EXPECT_FALSE(FaultOf([&] {
    backend().Sign(root, key, SignScheme::Ecdsa, Hash::Sha256, DigestFor(Hash::Sha256));
  }));
}

TEST_P(ContractAdopt, AWrongAuthIsRefused) {
  ForeignKey key = Foreign(kP256, "right");
  for (const char* wrong : {"", "wrong"}) {
    key.auth = Secret(wrong);
    EXPECT_EQ(FaultOfAdopting(key), Fault::AuthFailed) << wrong;
  }
  key.auth = Secret("right");
  EXPECT_FALSE(FaultOfAdopting(key));
}

TEST_P(ContractAdopt, AnotherDevicesKeyIsRefused) {
  ForeignKey key;
  const auto other = GetParam().make();
  const tpm::Root other_root = other->backend().EnsureRoot();
  key = {other->backend().Create(other_root, kP256, Secret("a")), {}, kOwner, Secret("a")};
  for (uint32_t parent : {kOwner, root.handle}) {
    key.parent = parent;
    EXPECT_EQ(FaultOfAdopting(key), Fault::BadInput);
  }
}

TEST_P(ContractAdopt, AttestationKeysAreRefused) {
  const tpm::KeyRef ak = NewAk(backend(), root, "ak", kEcAk);
  EXPECT_EQ(FaultOfAdopting({ak.blob, {}, kOwner, ak.auth.Clone()}), Fault::Unsupported);
}

TEST_P(ContractAdopt, SecretKeysAreRefused) {
  const auto blob =
      backend().CreateSecret(root, {KeyScope::User, tpm::AesSpec{128}}, {}, Secret("a"));
  EXPECT_EQ(FaultOfAdopting({blob, {}, kOwner, Secret("a")}), Fault::Unsupported);
}

TEST_P(ContractAdopt, WhatIsNoKeyIsRefused) {
  const ForeignKey good = Foreign(kP256, "a");
  const auto with = [&](Bytes public_area, Bytes private_area) {
    return FaultOfAdopting(
        {{std::move(public_area), std::move(private_area)}, {}, kOwner, Secret("a")});
  };
  EXPECT_EQ(with({}, good.blob.private_area), Fault::BadInput);
  EXPECT_EQ(with(good.blob.public_area, {}), Fault::BadInput);
  EXPECT_EQ(with(Bytes(40, 0xff), good.blob.private_area), Fault::BadInput);
  EXPECT_EQ(with(good.blob.public_area, Bytes(40, 0xff)), Fault::BadInput);
  Bytes changed = good.blob.private_area;
  changed[changed.size() - 1] ^= 1;
  EXPECT_EQ(with(good.blob.public_area, changed), Fault::BadInput);
  const ForeignKey other = Foreign(kP256, "a");
  EXPECT_EQ(with(other.blob.public_area, good.blob.private_area), Fault::BadInput)
      << "halves of two keys";
  Bytes cut = good.blob.public_area;
  cut.pop_back();
  EXPECT_EQ(with(cut, good.blob.private_area), Fault::BadInput);
  EXPECT_FALSE(with(good.blob.public_area, good.blob.private_area)) << "the good one still is";
}

}  // namespace
}  // namespace keyscope::test
