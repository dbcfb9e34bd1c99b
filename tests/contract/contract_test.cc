// What holds of every Backend: device, sealed PINs, random.
#include "tests/contract/contract.h"

#include "tests/contract/verify.h"

namespace keyscope::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Backends, Contract, testing::ValuesIn(Kinds()), KindName);

TEST_P(Contract, IsPresent) { EXPECT_TRUE(backend().Present()); }

TEST_P(Contract, TellsFactsThatSurviveTheStore) {
  EXPECT_FALSE(facts.manufacturer.empty());
  EXPECT_NE(std::find(facts.hashes.begin(), facts.hashes.end(), tpm::Hash::Sha256),
            facts.hashes.end());
  EXPECT_NE(std::find(facts.curves.begin(), facts.curves.end(), tpm::Curve::P256),
            facts.curves.end());
  EXPECT_NE(std::find(facts.rsa_bits.begin(), facts.rsa_bits.end(), 2048U), facts.rsa_bits.end());
  EXPECT_TRUE(facts.raw_rsa || facts.padded_rsa);
  EXPECT_EQ(tpm::Facts::FromPairs(facts.ToPairs()).ToPairs(), facts.ToPairs());
}

TEST_P(Contract, TheRootStaysTheSame) {
  const tpm::Root again = backend().EnsureRoot();
  EXPECT_EQ(again.handle, root.handle);
  EXPECT_EQ(again.public_area, root.public_area);
  EXPECT_EQ(again.name, root.name);
}

TEST_P(Contract, UnsealsWithTheRightPin) {
  for (const std::string& pin : {std::string("1234"), std::string(), std::string("0\0", 2)}) {
    const auto sealed = backend().Seal(root, Secret(pin), Secret("the token secret"));
    EXPECT_EQ(AsString(backend().Unseal(root, sealed, Secret(pin)).view()), "the token secret");
  }
  EXPECT_EQ(backend().ReadLockout().tries_used, 0U);
}

TEST_P(Contract, SealsTheLargestSecretUnderTheLongestPin) {
  const std::string secret(128, 's');
  const auto sealed = backend().Seal(root, AuthOf("pin"), Secret(secret));
  EXPECT_EQ(AsString(backend().Unseal(root, sealed, AuthOf("pin")).view()), secret);
}

TEST_P(Contract, RefusesToSealWhatDoesNotFit) {
  const std::string long_pin(33, 'p'), long_secret(129, 's');
  EXPECT_EQ(FaultOf([&] { backend().Seal(root, Secret(long_pin), Secret("s")); }), Fault::BadInput);
  EXPECT_EQ(FaultOf([&] { backend().Seal(root, Secret("p"), Secret(long_secret)); }),
            Fault::BadInput);
  EXPECT_EQ(FaultOf([&] { backend().Seal(root, Secret("p"), SecretBytes()); }), Fault::BadInput);
}

TEST_P(Contract, AWrongPinCostsOneTry) {
  const auto sealed = backend().Seal(root, Secret("1234"), Secret("secret"));
  EXPECT_EQ(FaultOf([&] { backend().Unseal(root, sealed, Secret("1235")); }), Fault::AuthFailed);
  EXPECT_EQ(backend().ReadLockout().tries_used, 1U);
  EXPECT_EQ(AsString(backend().Unseal(root, sealed, Secret("1234")).view()), "secret");
}

TEST_P(Contract, TooManyWrongPinsLockOut) {
  const auto sealed = backend().Seal(root, Secret("1234"), Secret("secret"));
  const uint32_t max_tries = backend().ReadLockout().max_tries;
  ASSERT_GT(max_tries, 0U);
  for (uint32_t i = 0; i < max_tries; ++i)
    EXPECT_EQ(FaultOf([&] { backend().Unseal(root, sealed, Secret("no")); }), Fault::AuthFailed);
  EXPECT_TRUE(backend().ReadLockout().in_lockout);
  EXPECT_EQ(FaultOf([&] { backend().Unseal(root, sealed, Secret("1234")); }), Fault::LockedOut);
  if (GetParam().keys_cost_tries) return;
  const auto key = NewKey(backend(), root, "key", kP256);
  const Bytes digest = DigestFor(tpm::Hash::Sha256);
  const Bytes signature =
      backend().Sign(root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256, digest);
  EXPECT_TRUE(Verifies(backend().PublicOf(key.blob), tpm::Hash::Sha256, digest, signature));
}

TEST_P(Contract, AWrongKeyAuth) {
  auto key = NewKey(backend(), root, "key", kP256);
  key.auth = AuthOf("another");
  EXPECT_EQ(FaultOf([&] {
              backend().Sign(root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256,
                             DigestFor(tpm::Hash::Sha256));
            }),
            Fault::AuthFailed);
  EXPECT_EQ(backend().ReadLockout().tries_used, GetParam().keys_cost_tries ? 1U : 0U);
}

TEST_P(Contract, GivesRandomBytes) {
  EXPECT_TRUE(backend().Random(0).empty());
  const SecretBytes one = backend().Random(200), other = backend().Random(200);
  ASSERT_EQ(one.size(), 200U);
  EXPECT_FALSE(Equal(one.view(), other.view()));
  // The last bytes are filled, too.
  EXPECT_FALSE(Equal(one.view().subspan(192), Bytes(8)));
}

TEST_P(Contract, TakesSeedsOfAnySize) {
  for (size_t size : {0, 1, 128, 129, 100000})
    EXPECT_NO_THROW(backend().StirRandom(Bytes(size, 7)));
}

TEST_P(Contract, BrokenBlobsAreRefused) {
  const auto key = NewKey(backend(), root, "key", kP256);
  const Bytes digest = DigestFor(tpm::Hash::Sha256);
  const auto sign = [&](tpm::KeyBlob blob) {
    return FaultOf([&] {
      backend().Sign(root, Ready("broken", std::move(blob)), tpm::SignScheme::Ecdsa,
                     tpm::Hash::Sha256, digest);
    });
  };
  const std::vector<std::optional<Fault>> allowed = {Fault::Corrupt, Fault::KeyGone,
                                                     Fault::BadInput, Fault::AuthFailed};
  const auto expect_refused = [&](const tpm::KeyBlob& blob) {
    const auto fault = sign(blob);
    EXPECT_NE(std::find(allowed.begin(), allowed.end(), fault), allowed.end())
        << (fault ? Name(*fault) : "no fault");
  };
  expect_refused({});
  expect_refused({key.blob.public_area, {}});
  expect_refused({{}, key.blob.private_area});
  for (size_t cut : {1, 2, 10, 40})
    expect_refused({Copy(ByteView(key.blob.public_area).first(key.blob.public_area.size() - cut)),
                    Copy(ByteView(key.blob.private_area)
                             .first(key.blob.private_area.size() -
                                    std::min(cut, key.blob.private_area.size())))});
  for (size_t at = 0; at < key.blob.private_area.size(); at += 5) {
    tpm::KeyBlob blob = key.blob;
    blob.private_area[at] ^= 0x80;
    expect_refused(blob);
  }
  EXPECT_EQ(sign(key.blob), Fault::AuthFailed) << "the key was made with another auth value";
}

TEST_P(Contract, ReleaseOfOneKeyAndOfAll) {
  const auto key = NewKey(backend(), root, "key", kP256);
  const Bytes digest = DigestFor(tpm::Hash::Sha256);
  const auto sign = [&] {
    backend().Sign(root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256, digest);
  };
  for (int round = 0; round < 2; ++round) {
    EXPECT_NO_THROW(sign());
    backend().Release(key.uid);
    EXPECT_NO_THROW(sign());
    backend().Release({});
  }
  subject_->ExpectNothingLoaded();
}

}  // namespace
}  // namespace keyscope::test
