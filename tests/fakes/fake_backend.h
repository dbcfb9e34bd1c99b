// A Backend in software: the real cryptography, a lockout of its own, and failures on demand. It
// passes the contract tests of tests/contract, so what token/ is tested with behaves like a TPM.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/ossl.h"
#include "tpm/backend.h"

namespace keyscope::test {

enum class Op {
  LearnFacts,
  ReadLockout,
  EnsureRoot,
  Seal,
  Unseal,
  Create,
  CreateAttested,
  Import,
  Adopt,
  CreateSecret,
  Sign,
  RawRsa,
  DecryptRsa,
  Ecdh,
  RunAes,
  Hmac,
  Certify,
  Quote,
  ActivateCredential,
  Endorsements,
  FreePersistentHandle,
  ReadPcrs,
  Persist,
  Erase,
  Random,
  StirRandom
};

// The public area in a blob of this backend: it has the TPM's own shape.
TPMT_PUBLIC AreaOf(const tpm::KeyBlob& blob);

class FakeBackend final : public tpm::Backend {
 public:
  // The facts of a TPM with all that is common.
  static tpm::Facts Usual();
  // A device that can do `facts` and no more.
  explicit FakeBackend(tpm::Facts facts = Usual());

  // The next call of `op` throws `fault` and does nothing.
  void FailNext(Op op, Fault fault);
  // `act` runs once when the next call of `op` begins, in its thread: what others do meanwhile.
  void Meanwhile(Op op, std::function<void()> act);
  // While gone every call throws Fault::DeviceGone, and Present is false.
  void SetGone(bool gone);
  // Another TPM, or this one cleared: what was made before is Fault::KeyGone.
  void Clear();
  // As TPM2_DictionaryAttackLockReset.
  void ResetLockout();
  int Calls(Op op);
  // As TPM2_PCR_Extend; and all PCRs as after a restart. The banks are SHA-1 and SHA-256.
  void ExtendPcr(tpm::Hash bank, unsigned pcr, ByteView digest);
  void ResetPcrs();

  bool Present() noexcept override;
  tpm::Facts LearnFacts() override;
  tpm::Lockout ReadLockout() override;
  tpm::Root EnsureRoot() override;
  tpm::KeyBlob Seal(const tpm::Root& root, const SecretBytes& pin_auth,
                    const SecretBytes& secret) override;
  SecretBytes Unseal(const tpm::Root& root, const tpm::KeyBlob& sealed,
                     const SecretBytes& pin_auth) override;
  tpm::KeyBlob Create(const tpm::Root& root, const tpm::KeySpec& spec,
                      const SecretBytes& auth) override;
  tpm::KeyBlob Import(const tpm::Root& root, KeyScope scope, const tpm::PrivateKey& key,
                      const SecretBytes& auth) override;
  // Of its own keys, whatever their parent is said to be.
  tpm::KeyBlob Adopt(const tpm::Root& root, const tpm::ForeignKey& key,
                     const SecretBytes& auth) override;
  tpm::KeyBlob CreateSecret(const tpm::Root& root, const tpm::SecretSpec& spec,
                            const SecretBytes& value, const SecretBytes& auth) override;
  tpm::CreatedKey CreateAttested(const tpm::Root& root, ByteView uid, const tpm::KeySpec& spec,
                                 const SecretBytes& auth, const tpm::KeyRef* ak,
                                 ByteView nonce) override;
  tpm::PcrState ReadPcrs(const tpm::Root& root, const tpm::PcrSelection& selection) override;
  tpm::PublicKey PublicOf(const tpm::KeyBlob& blob) const override;
  Bytes TpmtPublicOf(const tpm::KeyBlob& blob) const override;
  Bytes NameOf(const tpm::KeyBlob& blob) const override;
  Bytes PolicyOf(const tpm::KeyBlob& blob) const override;
  tpm::KeyUses UsesOf(const tpm::KeyBlob& blob) const override;
  Bytes NewName(ByteView) const override { return {}; }
  std::vector<Bytes> NamesIn(KeyScope) override { return {}; }
  Bytes Sign(const tpm::Root& root, const tpm::KeyRef& key, tpm::SignScheme scheme, tpm::Hash hash,
             ByteView digest) override;
  SecretBytes RawRsa(const tpm::Root& root, const tpm::KeyRef& key, ByteView input) override;
  SecretBytes DecryptRsa(const tpm::Root& root, const tpm::KeyRef& key, tpm::RsaPadding padding,
                         tpm::Hash hash, ByteView ciphertext) override;
  SecretBytes Ecdh(const tpm::Root& root, const tpm::KeyRef& key,
                   const tpm::EcPublic& peer) override;
  SecretBytes RunAes(const tpm::Root& root, const tpm::KeyRef& key, tpm::AesMode mode,
                     tpm::Direction direction, Bytes& iv, ByteView data) override;
  SecretBytes Hmac(const tpm::Root& root, const tpm::KeyRef& key, ByteView message) override;
  tpm::Statement Certify(const tpm::Root& root, const tpm::KeyRef& ak, const tpm::KeyRef& key,
                         ByteView nonce) override;
  tpm::Statement Quote(const tpm::Root& root, const tpm::KeyRef& ak, tpm::Hash bank, uint32_t pcrs,
                       ByteView nonce) override;
  SecretBytes ActivateCredential(const tpm::Root& root, const tpm::KeyRef& ak, tpm::EkType type,
                                 ByteView id_object, ByteView encrypted_secret) override;
  std::vector<tpm::Endorsement> Endorsements() override;
  std::vector<Bytes> EndorsementChain() override { return {}; }
  uint32_t FreePersistentHandle() override;
  void Persist(const tpm::Root& root, const tpm::KeyRef& key, uint32_t handle) override;
  void Erase(uint32_t handle, ByteView name) override;
  void EraseNamed(KeyScope, ByteView) override {
    throw Error(Fault::Unsupported, "fake: no keys under names");
  }
  SecretBytes Random(size_t size) override;
  void StirRandom(ByteView seed) override;
  void Release(ByteView) noexcept override {}

 private:
  void Enter(Op op);  // counts and fails on demand; needs mutex_
  tpm::KeyBlob Wrap(Bytes public_area, const SecretBytes& auth, ByteView data) const;
  // The data in a blob. Fault::KeyGone when it is not of this device, AuthFailed for a wrong auth.
  SecretBytes Unwrap(const tpm::Root& root, const tpm::KeyBlob& blob,
                     const SecretBytes& auth) const;

  // What `key` holds. The same as KeyOf for a secret key.
  SecretBytes ValueOf(const tpm::Root& root, const tpm::KeyRef& key) const;
  // The private half of `key`, which must be at its persistent handle if it has one.
  ossl::Pkey KeyOf(const tpm::Root& root, const tpm::KeyRef& key) const;
  tpm::KeyBlob Make(const tpm::KeySpec& spec, const SecretBytes& auth) const;
  tpm::Statement State(const tpm::Root& root, const tpm::KeyRef& ak, TPMS_ATTEST attest,
                       ByteView nonce) const;
  tpm::Statement StateKey(const tpm::Root& root, const tpm::KeyRef& ak, const tpm::KeyRef& key,
                          ByteView nonce) const;
  EVP_PKEY& EndorsementKey(tpm::EkType type);

  Bytes ValuesOf(const tpm::PcrSelection& selection) const;
  // Neither sign nor decrypt for an AK, and for a key whose PCRs have changed.
  void CheckUse(const tpm::KeyRef& key) const;

  bool Supports(const tpm::KeySpec& spec) const;
  bool Supports(const tpm::SecretSpec& spec) const;

  const tpm::Facts facts_;
  mutable std::recursive_mutex mutex_;  // Meanwhile
  Bytes seed_;
  bool gone_ = false;
  uint32_t tries_ = 0;
  std::map<Op, int> calls_;
  std::map<Op, Fault> failures_;
  std::map<Op, std::function<void()>> acts_;
  std::map<uint32_t, Bytes> persistent_;                  // Names
  std::map<std::pair<tpm::Hash, unsigned>, Bytes> pcrs_;  // absent: zeros
  std::map<tpm::EkType, ossl::Pkey> endorsement_keys_;
};

}  // namespace keyscope::test
