#include "tpm/tss/symmetric_commands.h"

#include "tpm/tss/execute.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

using Sys = TSS2_SYS_CONTEXT*;

constexpr TPMI_ALG_HASH kOfTheKey = TPM2_ALG_NULL;

}  // namespace

SecretBytes EncryptDecrypt(const Channel& channel, const Object& key, Auth auth, TPM2_ALG_ID mode,
                           Direction direction, Bytes& iv, ByteView data) {
  const Wiped<TPM2B_MAX_BUFFER> in_data{Tpm2b<TPM2B_MAX_BUFFER>(data)};
  const auto iv_in = Tpm2b<TPM2B_IV>(iv);
  const TPMI_YES_NO decrypt = direction == Direction::Decrypt ? TPM2_YES : TPM2_NO;
  Wiped<TPM2B_MAX_BUFFER> out_data;
  TPM2B_IV iv_out{};
  auth.encrypt_request = auth.encrypt_response = true;
  Execute(channel,
          {.code = TPM2_CC_EncryptDecrypt2,
           .name = "TPM2_EncryptDecrypt2",
           .names = {key.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_EncryptDecrypt2_Prepare(sys, key.handle, &in_data.value, decrypt,
                                                         mode, &iv_in);
               },
           .complete =
               [&](Sys sys) {
                 return Tss2_Sys_EncryptDecrypt2_Complete(sys, &out_data.value, &iv_out);
               }},
          {&auth, 1});
  iv = Copy(View(iv_out));
  return SecretBytes(View(out_data.value));
}

SecretBytes Hmac(const Channel& channel, const Object& key, Auth auth, ByteView message) {
  const Wiped<TPM2B_MAX_BUFFER> buffer{Tpm2b<TPM2B_MAX_BUFFER>(message)};
  Wiped<TPM2B_DIGEST> code;
  auth.encrypt_request = auth.encrypt_response = true;
  Execute(channel,
          {.code = TPM2_CC_HMAC,
           .name = "TPM2_HMAC",
           .names = {key.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_HMAC_Prepare(sys, key.handle, &buffer.value, kOfTheKey);
               },
           .complete = [&](Sys sys) { return Tss2_Sys_HMAC_Complete(sys, &code.value); }},
          {&auth, 1});
  return SecretBytes(View(code.value));
}

Object HmacStart(const Channel& channel, const Object& key, Auth auth) {
  const Wiped<TPM2B_AUTH> sequence_auth{Tpm2b<TPM2B_AUTH>(auth.value)};
  Object sequence{};
  auth.encrypt_request = true;
  Execute(
      channel,
      {.code = TPM2_CC_HMAC_Start,
       .name = "TPM2_HMAC_Start",
       .names = {key.name},
       .prepare =
           [&](Sys sys) {
             return Tss2_Sys_HMAC_Start_Prepare(sys, key.handle, &sequence_auth.value, kOfTheKey);
           },
       .complete = [&](Sys sys) { return Tss2_Sys_HMAC_Start_Complete(sys, &sequence.handle); }},
      {&auth, 1});
  return sequence;
}

void SequenceUpdate(const Channel& channel, const Object& sequence, Auth auth, ByteView part) {
  const Wiped<TPM2B_MAX_BUFFER> buffer{Tpm2b<TPM2B_MAX_BUFFER>(part)};
  auth.encrypt_request = true;
  Execute(channel,
          {.code = TPM2_CC_SequenceUpdate,
           .name = "TPM2_SequenceUpdate",
           .names = {sequence.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_SequenceUpdate_Prepare(sys, sequence.handle, &buffer.value);
               },
           .complete = Tss2_Sys_SequenceUpdate_Complete},
          {&auth, 1});
}

SecretBytes SequenceComplete(const Channel& channel, const Object& sequence, Auth auth,
                             ByteView part) {
  const Wiped<TPM2B_MAX_BUFFER> buffer{Tpm2b<TPM2B_MAX_BUFFER>(part)};
  Wiped<TPM2B_DIGEST> code;
  TPMT_TK_HASHCHECK no_ticket{};
  auth.encrypt_request = auth.encrypt_response = true;
  Execute(channel,
          {.code = TPM2_CC_SequenceComplete,
           .name = "TPM2_SequenceComplete",
           .names = {sequence.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_SequenceComplete_Prepare(sys, sequence.handle, &buffer.value,
                                                          TPM2_RH_NULL);
               },
           .complete =
               [&](Sys sys) {
                 return Tss2_Sys_SequenceComplete_Complete(sys, &code.value, &no_ticket);
               }},
          {&auth, 1});
  return SecretBytes(View(code.value));
}

}  // namespace keyscope::tpm::tss
