#include "tpm/tss/pcr_policy.h"

#include "base/error.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

constexpr Hash kHash = Hash::Sha256;
constexpr size_t kSelectBytes = kPcrs / 8;

}  // namespace

TPML_PCR_SELECTION ListOf(const PcrSelection& selection) {
  const TPM2_ALG_ID bank = AlgOf(selection.bank);
  if (bank == TPM2_ALG_NULL)
    throw Error(Fault::Unsupported,
                std::string("TPM 2.0 has no PCR bank of ") + Name(selection.bank));
  if (selection.pcrs >> kPcrs != 0) throw Error(Fault::BadInput, "there is no PCR above 23");
  TPMS_PCR_SELECTION one{bank, kSelectBytes, {}};
  for (size_t i = 0; i < kSelectBytes; ++i)
    one.pcrSelect[i] = static_cast<BYTE>(selection.pcrs >> (8 * i));
  return {1, {one}};
}

Bytes DigestOf(const PcrState& state) { return Digest(kHash, {state.values}); }

Bytes PolicyFor(const PcrState& state) {
  const Bytes start(DigestSize(kHash));
  const Bytes pcr = Digest(kHash, {start, BigEndian32(TPM2_CC_PolicyPCR),
                                   Marshal(ListOf(state.selection)), DigestOf(state)});
  return Digest(kHash, {pcr, BigEndian32(TPM2_CC_PolicyAuthValue)});
}

}  // namespace keyscope::tpm::tss
