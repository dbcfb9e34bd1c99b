// Keys that a TPM made for others: their parents, and the TPM's dictionary-attack protection.
#include "tests/contract/provision.h"
#include "tests/contract/tss_subject.h"
#include "tests/contract/verify.h"
#include "tpm/tss/templates.h"

namespace keyscope::test {
namespace {

using tpm::ForeignKey;

class TssAdopt : public TssTest {
 protected:
  ForeignKey Foreign(const TPMT_PUBLIC& area, uint32_t parent) {
    return {provisioner.CreateKey(parent, area, AsBytes("its own")), {}, parent, Secret("its own")};
  }
  std::optional<Fault> FaultOfAdopting(const ForeignKey& key) {
    return FaultOf([&] { backend.Adopt(root, key, AuthOf("k")); });
  }
  uint32_t Tries() { return backend.ReadLockout().tries_used; }

  Provisioner provisioner{proxy.tcti()};
  // As tpm2_create and tpm2-openssl make them.
  const TPMT_PUBLIC protected_area = [] {
    TPMT_PUBLIC area = tpm::tss::KeyTemplate(kP256);
    area.objectAttributes &= ~TPMA_OBJECT_NODA;
    return area;
  }();
};

TEST_F(TssAdopt, AProtectedKeySpendsATryForAWrongAuthOnly) {
  ForeignKey key = Foreign(protected_area, root.handle);
  const tpm::KeyRef adopted = Ready("k", backend.Adopt(root, key, AuthOf("k")));
  for (int i = 0; i < 3; ++i) SignWith(adopted);
  EXPECT_EQ(Tries(), 0U);
  key.auth = Secret("wrong");
  EXPECT_EQ(FaultOfAdopting(key), Fault::AuthFailed);
  EXPECT_EQ(Tries(), 1U);
  EXPECT_EQ(FaultOfAdopting(key), Fault::AuthFailed);
  EXPECT_EQ(FaultOfAdopting(key), Fault::AuthFailed);
  EXPECT_EQ(FaultOfAdopting(key), Fault::LockedOut);
  EXPECT_EQ(FaultOf([&] { SignWith(adopted); }), Fault::LockedOut);
}

// A session that was lost, without a resource manager, would spend a try.
TEST_F(TssAdopt, AProtectedKeyHasANewSessionForEachUse) {
  const auto of = [&](const TPMT_PUBLIC& area) {
    return Ready("k", backend.Adopt(root, Foreign(area, root.handle), AuthOf("k")));
  };
  for (const TPMT_PUBLIC& area : {protected_area, tpm::tss::KeyTemplate(kP256)}) {
    const tpm::KeyRef key = of(area);
    for (int i = 0; i < 2; ++i) SignWith(key);
    const bool is_protected = (area.objectAttributes & TPMA_OBJECT_NODA) == 0;
    EXPECT_EQ(Commands([&] { SignWith(key); }), is_protected ? 2 : 1);
    backend.Release({});
    EXPECT_TRUE(proxy.LoadedHandles().empty());
  }
}

TEST_F(TssAdopt, AnotherParentAtAHandle) {
  // An RSA key of the endorsement hierarchy: not the token's root, and authorized by a policy.
  constexpr uint32_t kEk = 0x81010001, kEmpty = 0x81000077;
  provisioner.PersistEndorsementKey(tpm::EkType::Rsa, kEk);
  ForeignKey key = Foreign(protected_area, root.handle);
  key.parent = kEk;
  EXPECT_EQ(FaultOfAdopting(key), Fault::Unsupported);
  key.parent = kEmpty;
  EXPECT_EQ(FaultOfAdopting(key), Fault::BadInput) << "nothing there";
  for (uint32_t handle : {0U, 0x40000007U, 0x4000000bU, 0x80000000U, 0x01c00002U, 0xffffffffU}) {
    key.parent = handle;
    EXPECT_EQ(FaultOfAdopting(key), Fault::Unsupported) << std::hex << handle;
  }
  EXPECT_EQ(Tries(), 0U);
}

// A key under the primary of key files keeps it, also after a restart, and costs one command more
// when it is loaded.
TEST_F(TssAdopt, TheOwnersPrimaryOfKeyFiles) {
  constexpr uint32_t kHandle = 0x81000078;
  provisioner.Persist(tpm::tss::KeyFileRootTemplate(), kHandle);
  ForeignKey key = Foreign(tpm::tss::KeyTemplate(kP256), kHandle);
  key.parent = TPM2_RH_OWNER;
  const tpm::KeyRef adopted = Ready("k", backend.Adopt(root, key, AuthOf("k")));
  SignWith(adopted);
  backend.Release({});
  subject.StopTpm();
  subject.swtpm().Start();
  EXPECT_TRUE(Verifies(backend.PublicOf(adopted.blob), tpm::Hash::Sha256,
                       DigestFor(tpm::Hash::Sha256), SignWith(adopted)));
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
  // Damaged in the store.
  for (size_t size : {adopted.blob.private_area.size() - 1, size_t{3}}) {
    tpm::KeyRef cut = Ready("cut", {adopted.blob.public_area, adopted.blob.private_area});
    cut.blob.private_area.resize(size);
    EXPECT_EQ(FaultOf([&] { SignWith(cut); }), Fault::Corrupt) << size;
  }
}

}  // namespace
}  // namespace keyscope::test
