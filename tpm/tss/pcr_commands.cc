#include "tpm/tss/pcr_commands.h"

#include "tpm/tss/execute.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

using Sys = TSS2_SYS_CONTEXT*;

}  // namespace

PcrReading PcrRead(const Channel& channel, const TPML_PCR_SELECTION& selection,
                   std::span<const Auth> auths) {
  PcrReading reading;
  Execute(channel,
          {.code = TPM2_CC_PCR_Read,
           .name = "TPM2_PCR_Read",
           .prepare = [&](Sys sys) { return Tss2_Sys_PCR_Read_Prepare(sys, &selection); },
           .complete =
               [&](Sys sys) {
                 return Tss2_Sys_PCR_Read_Complete(sys, &reading.update_counter, &reading.selection,
                                                   &reading.values);
               }},
          auths);
  return reading;
}

void PolicyPcr(const Channel& channel, const Session& policy, const TPML_PCR_SELECTION& selection,
               ByteView digest) {
  const auto pcr_digest = Tpm2b<TPM2B_DIGEST>(digest);
  Execute(channel, {.code = TPM2_CC_PolicyPCR,
                    .name = "TPM2_PolicyPCR",
                    .prepare =
                        [&](Sys sys) {
                          return Tss2_Sys_PolicyPCR_Prepare(sys, policy.handle(), &pcr_digest,
                                                            &selection);
                        },
                    .complete = Tss2_Sys_PolicyPCR_Complete});
}

void PolicyAuthValue(const Channel& channel, const Session& policy) {
  Execute(
      channel,
      {.code = TPM2_CC_PolicyAuthValue,
       .name = "TPM2_PolicyAuthValue",
       .prepare = [&](Sys sys) { return Tss2_Sys_PolicyAuthValue_Prepare(sys, policy.handle()); },
       .complete = Tss2_Sys_PolicyAuthValue_Complete});
}

}  // namespace keyscope::tpm::tss
