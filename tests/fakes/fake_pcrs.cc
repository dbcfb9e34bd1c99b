// The fake's PCRs, and the keys that are bound to them.
#include "tests/fakes/fake_backend.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/pcr_policy.h"

namespace keyscope::test {

using tpm::Hash;
using tpm::PcrSelection;

void FakeBackend::ExtendPcr(Hash bank, unsigned pcr, ByteView digest) {
  std::lock_guard lock(mutex_);
  pcrs_[{bank, pcr}] = tpm::tss::Digest(bank, {ValuesOf({bank, uint32_t{1} << pcr}), digest});
}

void FakeBackend::ResetPcrs() {
  std::lock_guard lock(mutex_);
  pcrs_.clear();
}

Bytes FakeBackend::ValuesOf(const PcrSelection& selection) const {
  Bytes values;
  for (unsigned pcr = 0; pcr < tpm::kPcrs; ++pcr) {
    if (!selection.Has(pcr)) continue;
    const auto found = pcrs_.find({selection.bank, pcr});
    Append(values, found != pcrs_.end() ? found->second : Bytes(DigestSize(selection.bank)));
  }
  return values;
}

tpm::PcrState FakeBackend::ReadPcrs(const tpm::Root&, const PcrSelection& selection) {
  std::lock_guard lock(mutex_);
  Enter(Op::ReadPcrs);
  if (selection.pcrs == 0 || selection.pcrs >> tpm::kPcrs != 0)
    throw Error(Fault::BadInput, "fake: no such PCR");
  if (selection.bank != Hash::Sha1 && selection.bank != Hash::Sha256)
    throw Error(Fault::Unsupported, "fake: no such PCR bank");
  return {selection, ValuesOf(selection)};
}

Bytes FakeBackend::PolicyOf(const tpm::KeyBlob& blob) const {
  return Copy(tpm::tss::View(AreaOf(blob).authPolicy));
}

void FakeBackend::CheckUse(const tpm::KeyRef& key) const {
  const TPMT_PUBLIC area = AreaOf(key.blob);
  if ((area.objectAttributes & TPMA_OBJECT_RESTRICTED) != 0)
    throw Error(Fault::Denied, "fake: an attestation key signs only what the TPM states");
  if ((area.objectAttributes & TPMA_OBJECT_USERWITHAUTH) != 0) return;
  if (key.pcrs.empty()) throw Error(Fault::Denied, "fake: the key is used by its policy only");
  const tpm::PcrState now{key.pcrs.selection, ValuesOf(key.pcrs.selection)};
  if (now.values != key.pcrs.values)
    throw Error(Fault::PolicyMismatch, "fake: the PCRs have other values now");
  if (!Equal(tpm::tss::PolicyFor(now), tpm::tss::View(area.authPolicy)))
    throw Error(Fault::Denied, "fake: the policy is not that of the key");
}

}  // namespace keyscope::test
