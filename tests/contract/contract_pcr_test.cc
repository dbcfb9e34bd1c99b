// What holds of every Backend: keys that are bound to PCRs.
#include "tests/contract/contract.h"
#include "tests/contract/statement.h"
#include "tests/contract/verify.h"
#include "tests/fakes/fake_backend.h"

namespace keyscope::test {
namespace {

using tpm::Hash;
using tpm::KeyRef;
using tpm::PcrSelection;
using tpm::SignScheme;

constexpr uint32_t Bits(std::initializer_list<unsigned> pcrs) {
  uint32_t bits = 0;
  for (unsigned pcr : pcrs) bits |= uint32_t{1} << pcr;
  return bits;
}

class ContractPcr : public Contract {
 protected:
  void SetUp() override {
    if (FaultOf([&] { backend().ReadPcrs(root, {Hash::Sha256, 1}); }) == Fault::Unsupported)
      GTEST_SKIP() << "the device binds no keys to PCRs";
  }
  void Extend(unsigned pcr) { subject_->ExtendPcr(pcr); }
  void Restart() { subject_->Restart(); }
  tpm::KeySpec Bound(tpm::KeySpec spec, const PcrSelection& to) {
    spec.pcrs = backend().ReadPcrs(root, to);
    return spec;
  }
  KeyRef NewBound(std::string_view name, const tpm::KeySpec& like, const PcrSelection& to) {
    const tpm::KeySpec spec = Bound(like, to);
    KeyRef key = NewKey(backend(), root, name, spec);
    key.pcrs = spec.pcrs;
    return key;
  }
  std::optional<Fault> Signs(const KeyRef& key) {
    return FaultOf([&] {
      const Bytes digest = DigestFor(Hash::Sha256);
      const tpm::PublicKey public_key = backend().PublicOf(key.blob);
      const bool ec = std::holds_alternative<tpm::EcPublic>(public_key);
      const Bytes signature = backend().Sign(
          root, key, ec ? SignScheme::Ecdsa : SignScheme::RsaPkcs1, Hash::Sha256, digest);
      EXPECT_TRUE(Verifies(public_key, Hash::Sha256, digest, signature));
    });
  }
  std::optional<Fault> Decrypts(const KeyRef& key) {
    const auto rsa = std::get<tpm::RsaPublic>(backend().PublicOf(key.blob));
    return FaultOf([&] {
      Bytes input(rsa.modulus.size(), 0x5a);
      input[0] = 0;
      EXPECT_TRUE(Equal(RawPublic(rsa, backend().RawRsa(root, key, input).view()), input));
    });
  }
  std::optional<Fault> Agrees(const KeyRef& key) {
    return FaultOf([&] {
      const tpm::PublicKey peer = backend().PublicOf(NewKey(backend(), root, "peer", kP256).blob);
      EXPECT_EQ(backend().Ecdh(root, key, std::get<tpm::EcPublic>(peer)).size(), 32U);
    });
  }

  const PcrSelection pcrs{Hash::Sha256, Bits({0, 7, 16})};
};

INSTANTIATE_TEST_SUITE_P(Backends, ContractPcr, testing::ValuesIn(Kinds()), KindName);

TEST_P(ContractPcr, ABoundKeyIsUsedWhileItsPcrsHold) {
  const KeyRef ec = NewBound("ec", kP256, pcrs), rsa = NewBound("rsa", kRsa2048, pcrs);
  const KeyRef ordinary = NewKey(backend(), root, "ordinary", kP256);
  auto expect = [&](std::optional<Fault> fault) {
    // More than once: in a burst, too.
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(Signs(ec), fault);
      EXPECT_FALSE(Signs(ordinary));
      EXPECT_EQ(Signs(rsa), fault);
    }
    EXPECT_EQ(Decrypts(rsa), fault);
    EXPECT_EQ(Agrees(ec), fault);
    EXPECT_EQ(backend().ReadLockout().tries_used, 0U);
  };
  expect(std::nullopt);
  Extend(1);  // not one of them
  expect(std::nullopt);
  Extend(7);
  expect(Fault::PolicyMismatch);
  Restart();
  expect(std::nullopt);
}

TEST_P(ContractPcr, ItIsBoundToTheValuesOfItsBirth) {
  Extend(7);
  const KeyRef key = NewBound("key", kP256, pcrs);
  EXPECT_FALSE(Signs(key));
  Extend(7);
  EXPECT_EQ(Signs(key), Fault::PolicyMismatch);
  Restart();
  EXPECT_EQ(Signs(key), Fault::PolicyMismatch);
  Extend(7);
  EXPECT_FALSE(Signs(key));
}

TEST_P(ContractPcr, ValuesAreRead) {
  const tpm::PcrState zeros = backend().ReadPcrs(root, pcrs);
  EXPECT_EQ(zeros.selection, pcrs);
  EXPECT_EQ(zeros.values, Bytes(3 * 32));
  Extend(7);
  const tpm::PcrState state = backend().ReadPcrs(root, pcrs);
  EXPECT_TRUE(
      Equal(ByteView(state.values).subspan(32, 32), Sha256(Concat({Bytes(32), Bytes(32, 1)}))));
  EXPECT_EQ(backend().ReadPcrs(root, {Hash::Sha256, 0xffffff}).values.size(), 24U * 32);
  EXPECT_EQ(backend().ReadPcrs(root, {Hash::Sha1, 1 << 23}).values.size(), 20U);
}

TEST_P(ContractPcr, WhatTheDeviceDoesNotHaveIsRefused) {
  const auto read = [&](Hash bank, uint32_t bits) {
    return FaultOf([&] { backend().ReadPcrs(root, {bank, bits}); });
  };
  EXPECT_EQ(read(Hash::Sha256, 0), Fault::BadInput);
  EXPECT_EQ(read(Hash::Sha256, 1 << 24), Fault::BadInput);
  for (Hash bank : {Hash::None, Hash::Sha224, Hash::Sha3_256, Hash::Sha3_224})
    EXPECT_EQ(read(bank, 1), Fault::Unsupported) << Name(bank);
}

TEST_P(ContractPcr, ThePolicyIsInThePublicArea) {
  const KeyRef key = NewBound("key", kP256, pcrs);
  EXPECT_EQ(backend().PolicyOf(key.blob).size(), 32U);
  EXPECT_EQ(AreaOf(key.blob).objectAttributes & TPMA_OBJECT_USERWITHAUTH, 0U);
  const KeyRef ordinary = NewKey(backend(), root, "ordinary", kP256);
  EXPECT_TRUE(backend().PolicyOf(ordinary.blob).empty());
  const KeyRef other = NewBound("other", kP256, {Hash::Sha256, Bits({0, 7})});
  EXPECT_NE(backend().PolicyOf(other.blob), backend().PolicyOf(key.blob));
}

TEST_P(ContractPcr, WhoSaysOtherPcrsDoesNotGetTheKey) {
  KeyRef key = NewBound("key", kP256, pcrs);
  const tpm::PcrState own = key.pcrs;
  key.pcrs = backend().ReadPcrs(root, {Hash::Sha256, Bits({1})});
  EXPECT_EQ(Signs(key), Fault::Denied);
  key.pcrs = {};
  EXPECT_EQ(Signs(key), Fault::Denied);
  key.pcrs = own;
  key.auth = AuthOf("another");
  EXPECT_EQ(Signs(key), Fault::AuthFailed);
  key.auth = AuthOf("key");
  EXPECT_FALSE(Signs(key));
  EXPECT_EQ(backend().ReadLockout().tries_used, 0U);
}

TEST_P(ContractPcr, ItIsCertifiedAndKeptWhateverThePcrsHold) {
  const Bytes nonce(8, 1);
  const KeyRef ak = NewAk(backend(), root, "ak", kEcAk);
  const tpm::KeySpec spec = Bound(kP256, pcrs);
  KeyRef key = NewAttested(backend(), root, "key", spec, ak);
  key.pcrs = spec.pcrs;
  EXPECT_FALSE(Signs(key));
  Extend(16);
  EXPECT_EQ(Signs(key), Fault::PolicyMismatch);
  backend().Certify(root, ak, key, nonce);

  const uint32_t handle = backend().FreePersistentHandle();
  backend().Persist(root, key, handle);
  key.persistent = handle;
  EXPECT_EQ(Signs(key), Fault::PolicyMismatch);
  backend().Certify(root, ak, key, nonce);
  Restart();
  EXPECT_FALSE(Signs(key));
  backend().Erase(handle, backend().NameOf(key.blob));
}

TEST_P(ContractPcr, AnAkIsNotBound) {
  const tpm::KeySpec spec = Bound(kEcAk, pcrs);
  EXPECT_EQ(FaultOf([&] { NewAk(backend(), root, "ak", spec); }), Fault::Unsupported);
}

}  // namespace
}  // namespace keyscope::test
