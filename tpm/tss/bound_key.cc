#include "tpm/tss/bound_key.h"

#include <algorithm>
#include <bit>
#include <map>

#include "tpm/pcr.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/pcr_commands.h"
#include "tpm/tss/pcr_policy.h"
#include "tpm/tss/root.h"

namespace keyscope::tpm::tss {
namespace {

uint32_t PcrsIn(const TPML_PCR_SELECTION& list, TPM2_ALG_ID bank) {
  if (list.count != 1 || list.pcrSelections[0].hash != bank) return 0;
  const TPMS_PCR_SELECTION& one = list.pcrSelections[0];
  uint32_t pcrs = 0;
  for (size_t i = 0; i < one.sizeofSelect && i < sizeof pcrs; ++i)
    pcrs |= uint32_t{one.pcrSelect[i]} << (8 * i);
  return pcrs;
}

// The values of these PCRs, in as many commands as the TPM needs.
Bytes ReadValues(Device& device, const PcrSelection& selection, std::span<const Auth> auths) {
  std::map<unsigned, Bytes> values;
  std::optional<uint32_t> update_counter;
  for (PcrSelection left = selection; left.pcrs != 0;) {
    const TPML_PCR_SELECTION asked = ListOf(left);
    const PcrReading reading = PcrRead(device.channel(), asked, auths);
    const uint32_t read = PcrsIn(reading.selection, asked.pcrSelections[0].hash);
    // A bank that is switched off is read without an error.
    if (read == 0 || (read & ~left.pcrs) != 0)
      throw Error(Fault::Unsupported,
                  "the TPM has no such PCR bank, or not all of these PCRs in it");
    if (update_counter.value_or(reading.update_counter) != reading.update_counter)
      throw Error(Fault::Busy, "the PCRs were extended while they were read: try again");
    update_counter = reading.update_counter;
    size_t next = 0;
    for (unsigned pcr = 0; pcr < kPcrs; ++pcr) {
      if ((read >> pcr & 1) == 0) continue;
      const Bytes value = next < std::min<size_t>(reading.values.count, 8)
                              ? Copy(View(reading.values.digests[next++]))
                              : Bytes();
      if (value.size() != DigestSize(selection.bank))
        throw Error(Fault::Io, "TPM2_PCR_Read: a PCR's value has another size than its bank's");
      values[pcr] = value;
    }
    left.pcrs &= ~read;
  }
  Bytes all;
  for (const auto& [pcr, value] : values) Append(all, value);
  return all;
}

PcrSelection Changed(const PcrState& before, ByteView now) {
  PcrSelection changed{before.selection.bank, 0};
  const size_t size = DigestSize(before.selection.bank);
  size_t at = 0;
  for (unsigned pcr = 0; pcr < kPcrs; ++pcr) {
    if (!before.selection.Has(pcr)) continue;
    if (!Equal(ByteView(before.values).subspan(at, size), now.subspan(at, size)))
      changed.pcrs |= uint32_t{1} << pcr;
    at += size;
  }
  return changed;
}

// Why the TPM refused with `refusal`, an answer to TPM2_PolicyPCR.
[[noreturn]] void Explain(Device& device, const PcrState& bound, const CommandError& refusal) {
  std::string why;
  try {
    const PcrSelection changed = Changed(bound, ReadValues(device, bound.selection, {}));
    if (changed.pcrs == 0)
      throw Error(Fault::Busy, "the PCRs changed while the key was about to be used: try again");
    why = "PCRs " + ToText(changed) +
          " no longer have the values that they had when the key was made";
  } catch (const Error& error) {
    if (!error.Is(Fault::Unsupported)) throw;
    why = error.what();
  }
  throw Error(Fault::PolicyMismatch,
              std::string(refusal.what()) + "; " + why + " (it is bound to " +
                  ToText(bound.selection) +
                  "): start the machine into the state of then, or make a new key",
              refusal.native());
}

void CheckState(const PcrState& state) {
  const auto count = static_cast<size_t>(std::popcount(state.selection.pcrs));
  if (state.values.size() != count * DigestSize(state.selection.bank))
    throw Error(Fault::Corrupt, "the values of the key's PCRs are damaged; delete the key");
}

}  // namespace

PcrState ReadPcrs(Device& device, Auth audit, const PcrSelection& selection) {
  audit.audit = true;
  return {selection, ReadValues(device, selection, {&audit, 1})};
}

Auth AuthorizeUse(Device& device, const KeyRef& key) {
  if (key.pcrs.empty()) return AuthorizeByValue(device, key);
  CheckState(key.pcrs);
  const Auth auth = device.BeginPolicy(key.auth.view(), Hold::InBurst);
  try {
    PolicyPcr(device.channel(), *auth.session, ListOf(key.pcrs.selection), DigestOf(key.pcrs));
  } catch (const CommandError& error) {
    // Of the session's handle it would be Recovery::Stale.
    if (BaseOf(error.native()) != TPM2_RC_VALUE || error.recovery() != Recovery::None) throw;
    Explain(device, key.pcrs, error);
  }
  PolicyAuthValue(device.channel(), *auth.session);
  return auth;
}

}  // namespace keyscope::tpm::tss
