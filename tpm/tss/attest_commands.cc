#include "tpm/tss/attest_commands.h"

#include "tpm/tss/execute.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/rc.h"

namespace keyscope::tpm::tss {
namespace {

using Sys = TSS2_SYS_CONTEXT*;

constexpr TPMT_SIG_SCHEME kOwnScheme{TPM2_ALG_NULL, {}};

Statement StatementOf(const TPM2B_ATTEST& attest, const TPMT_SIGNATURE& signature) {
  const size_t size = std::min<size_t>(attest.size, sizeof attest.attestationData);
  return {Copy({attest.attestationData, size}), Marshal(signature)};
}

}  // namespace

Statement Certify(const Channel& channel, const Object& subject, Auth subject_auth,
                  const Object& signer, Auth signer_auth, ByteView nonce) {
  const auto qualifying_data = Tpm2b<TPM2B_DATA>(nonce);
  TPM2B_ATTEST attest{};
  TPMT_SIGNATURE signature{};
  const Auth auths[] = {subject_auth, signer_auth};
  Execute(
      channel,
      {.code = TPM2_CC_Certify,
       .name = "TPM2_Certify",
       .names = {subject.name, signer.name},
       .prepare =
           [&](Sys sys) {
             return Tss2_Sys_Certify_Prepare(sys, subject.handle, signer.handle, &qualifying_data,
                                             &kOwnScheme);
           },
       .complete = [&](Sys sys) { return Tss2_Sys_Certify_Complete(sys, &attest, &signature); }},
      auths);
  return StatementOf(attest, signature);
}

Statement CertifyCreation(const Channel& channel, const Object& signer, Auth auth,
                          const Object& subject, const Creation& creation, ByteView nonce) {
  const auto qualifying_data = Tpm2b<TPM2B_DATA>(nonce);
  TPM2B_ATTEST attest{};
  TPMT_SIGNATURE signature{};
  Execute(
      channel,
      {.code = TPM2_CC_CertifyCreation,
       .name = "TPM2_CertifyCreation",
       .names = {signer.name, subject.name},
       .prepare =
           [&](Sys sys) {
             return Tss2_Sys_CertifyCreation_Prepare(sys, signer.handle, subject.handle,
                                                     &qualifying_data, &creation.hash, &kOwnScheme,
                                                     &creation.ticket);
           },
       .complete =
           [&](Sys sys) { return Tss2_Sys_CertifyCreation_Complete(sys, &attest, &signature); }},
      {&auth, 1});
  return StatementOf(attest, signature);
}

Statement Quote(const Channel& channel, const Object& signer, Auth auth,
                const TPML_PCR_SELECTION& pcrs, ByteView nonce) {
  const auto qualifying_data = Tpm2b<TPM2B_DATA>(nonce);
  TPM2B_ATTEST attest{};
  TPMT_SIGNATURE signature{};
  Execute(channel,
          {.code = TPM2_CC_Quote,
           .name = "TPM2_Quote",
           .names = {signer.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_Quote_Prepare(sys, signer.handle, &qualifying_data, &kOwnScheme,
                                               &pcrs);
               },
           .complete = [&](Sys sys) { return Tss2_Sys_Quote_Complete(sys, &attest, &signature); }},
          {&auth, 1});
  return StatementOf(attest, signature);
}

SecretBytes ActivateCredential(const Channel& channel, const Object& ak, Auth ak_auth,
                               const Object& endorsement, Auth endorsement_auth,
                               const TPM2B_ID_OBJECT& id_object,
                               const TPM2B_ENCRYPTED_SECRET& secret) {
  Wiped<TPM2B_DIGEST> certificate_info;
  ak_auth.encrypt_response = true;
  const Auth auths[] = {ak_auth, endorsement_auth};
  Execute(channel,
          {.code = TPM2_CC_ActivateCredential,
           .name = "TPM2_ActivateCredential",
           .names = {ak.name, endorsement.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_ActivateCredential_Prepare(sys, ak.handle, endorsement.handle,
                                                            &id_object, &secret);
               },
           .complete =
               [&](Sys sys) {
                 return Tss2_Sys_ActivateCredential_Complete(sys, &certificate_info.value);
               }},
          auths);
  return SecretBytes(View(certificate_info.value));
}

void PolicySecret(const Channel& channel, TPM2_HANDLE hierarchy, Auth auth, const Session& policy) {
  const TPM2B_NONCE any_nonce{}, no_reference{};
  const TPM2B_DIGEST any_command{};
  TPM2B_TIMEOUT timeout{};
  TPMT_TK_AUTH ticket{};
  // The Name of a hierarchy, and of a session, is its handle.
  const Object entity = Hierarchy(hierarchy), session = Hierarchy(policy.handle());
  Execute(
      channel,
      {.code = TPM2_CC_PolicySecret,
       .name = "TPM2_PolicySecret",
       .names = {entity.name, session.name},
       .prepare =
           [&](Sys sys) {
             return Tss2_Sys_PolicySecret_Prepare(sys, hierarchy, policy.handle(), &any_nonce,
                                                  &any_command, &no_reference, 0);
           },
       .complete = [&](Sys sys) { return Tss2_Sys_PolicySecret_Complete(sys, &timeout, &ticket); }},
      {&auth, 1});
}

std::optional<NvIndex> NvReadPublic(const Channel& channel, TPM2_HANDLE index) {
  TPM2B_NV_PUBLIC area{};
  TPM2B_NAME name{};
  try {
    Execute(
        channel,
        {.code = TPM2_CC_NV_ReadPublic,
         .name = "TPM2_NV_ReadPublic",
         .prepare = [&](Sys sys) { return Tss2_Sys_NV_ReadPublic_Prepare(sys, index); },
         .complete = [&](Sys sys) { return Tss2_Sys_NV_ReadPublic_Complete(sys, &area, &name); }});
  } catch (const CommandError& error) {
    if (BaseOf(error.native()) == TPM2_RC_HANDLE) return std::nullopt;
    throw;
  }
  const size_t name_size = std::min<size_t>(name.size, sizeof name.name);
  return NvIndex{{index, Copy({name.name, name_size})}, area.nvPublic};
}

Bytes NvRead(const Channel& channel, const Object& entity, Auth auth, const NvIndex& index,
             uint16_t size, uint16_t offset) {
  TPM2B_MAX_NV_BUFFER data{};
  Execute(channel,
          {.code = TPM2_CC_NV_Read,
           .name = "TPM2_NV_Read",
           .names = {entity.name, index.object.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_NV_Read_Prepare(sys, entity.handle, index.object.handle, size,
                                                 offset);
               },
           .complete = [&](Sys sys) { return Tss2_Sys_NV_Read_Complete(sys, &data); }},
          {&auth, 1});
  return Copy(View(data));
}

}  // namespace keyscope::tpm::tss
