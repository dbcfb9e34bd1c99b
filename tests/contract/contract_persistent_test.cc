// What holds of every Backend: keys at persistent handles.
#include "tests/contract/contract.h"
#include "tests/contract/verify.h"

namespace keyscope::test {
namespace {

using tpm::Hash;
using tpm::KeyRef;

class ContractPersistent : public Contract {
 protected:
  ContractPersistent() : key(NewKey(backend(), root, "key", kP256)), name(NameOf(key)) {}
  void SetUp() override {
    if (!backend().NewName(key.uid).empty()) GTEST_SKIP() << "keys are kept under names";
  }

  Bytes NameOf(const KeyRef& one) { return backend().NameOf(one.blob); }
  KeyRef At(const KeyRef& one, uint32_t handle) {
    return {one.uid, one.scope, one.blob, one.auth.Clone(), handle};
  }
  std::optional<Fault> Signs(const KeyRef& one) {
    return FaultOf([&] {
      const Bytes digest = DigestFor(Hash::Sha256);
      const Bytes signature =
          backend().Sign(root, one, tpm::SignScheme::Ecdsa, Hash::Sha256, digest);
      EXPECT_TRUE(Verifies(backend().PublicOf(one.blob), Hash::Sha256, digest, signature));
    });
  }

  KeyRef key;
  Bytes name;
};

INSTANTIATE_TEST_SUITE_P(Backends, ContractPersistent, testing::ValuesIn(Kinds()), KindName);

TEST_P(ContractPersistent, IsUsedAtItsHandleAndErased) {
  const uint32_t handle = backend().FreePersistentHandle();
  EXPECT_GE(handle, 0x81008000U);
  EXPECT_LE(handle, 0x8100FFFFU);
  const KeyRef persistent = At(key, handle);
  EXPECT_EQ(Signs(persistent), Fault::KeyGone) << "not there yet";
  backend().Persist(root, key, handle);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Signs(persistent));
  EXPECT_NE(backend().FreePersistentHandle(), handle);
  backend().Release({});
  subject_->ExpectNothingLoaded();
  subject_->Restart();
  EXPECT_FALSE(Signs(persistent));

  backend().Erase(handle, name);
  EXPECT_EQ(backend().FreePersistentHandle(), handle);
  EXPECT_TRUE(Signs(persistent));
  EXPECT_EQ(Signs(persistent), Fault::KeyGone);
  EXPECT_NO_THROW(backend().Erase(handle, name)) << "what is not there is erased";
  EXPECT_FALSE(Signs(At(key, 0))) << "the blob still is what it was";
}

TEST_P(ContractPersistent, LeavesOthersAlone) {
  const KeyRef other = NewKey(backend(), root, "other", kP256);
  const uint32_t handle = backend().FreePersistentHandle();
  backend().Persist(root, key, handle);
  EXPECT_NO_THROW(backend().Persist(root, key, handle)) << "again, as after a lost answer";
  EXPECT_EQ(FaultOf([&] { backend().Persist(root, other, handle); }), Fault::Busy);
  backend().Release({});
  EXPECT_EQ(Signs(At(other, handle)), Fault::KeyGone);
  backend().Erase(handle, NameOf(other));
  EXPECT_FALSE(Signs(At(key, handle)));
  for (uint32_t forbidden : {0U, 0x81000001U, 0x81007FFFU, 0x81010000U, 0x81010001U}) {
    EXPECT_EQ(FaultOf([&] { backend().Persist(root, key, forbidden); }), Fault::BadInput);
    EXPECT_EQ(FaultOf([&] { backend().Erase(forbidden, name); }), Fault::BadInput);
  }
  backend().Erase(handle, name);
}

TEST_P(ContractPersistent, FreeHandlesAreTheGaps) {
  const uint32_t first = backend().FreePersistentHandle();
  backend().Persist(root, key, first);
  const KeyRef other = NewKey(backend(), root, "other", kP256);
  backend().Persist(root, other, first + 2);
  EXPECT_EQ(backend().FreePersistentHandle(), first + 1);
  backend().Persist(root, NewKey(backend(), root, "third", kP256), first + 1);
  EXPECT_EQ(backend().FreePersistentHandle(), first + 3);
  backend().Erase(first, name);
  EXPECT_EQ(backend().FreePersistentHandle(), first);
}

TEST_P(ContractPersistent, AksAndWhatTheyAttestCanBePersistent) {
  const KeyRef ak = NewAk(backend(), root, "ak", kEcAk);
  const uint32_t ak_handle = backend().FreePersistentHandle();
  backend().Persist(root, ak, ak_handle);
  const KeyRef there = At(ak, ak_handle);
  const KeyRef attested = NewAttested(backend(), root, "attested", kP256, there);
  const uint32_t handle = backend().FreePersistentHandle();
  backend().Persist(root, attested, handle);
  EXPECT_NO_THROW(backend().Certify(root, there, At(attested, handle), Bytes(8, 1)));
  backend().Erase(ak_handle, NameOf(ak));
  EXPECT_FALSE(Signs(At(attested, handle))) << "keys outlive their AK";
}

}  // namespace
}  // namespace keyscope::test
