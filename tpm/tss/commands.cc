#include "tpm/tss/commands.h"

#include "base/ossl.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/execute.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/rc.h"
#include "tpm/tss/shared_secret.h"

namespace keyscope::tpm::tss {
namespace {

using Sys = TSS2_SYS_CONTEXT*;

constexpr Auth kEmptyPassword{};

}  // namespace

Object Hierarchy(TPM2_HANDLE handle) { return {handle, Copy(BigEndian32(handle))}; }

Session StartAuthSession(const Channel& channel, TPM2_SE type, const StorageKey* salt_to,
                         WithoutRoom without_room) {
  const Bytes nonce_caller = ossl::Random(Session::kNonceSize);
  const auto nonce = Tpm2b<TPM2B_NONCE>(nonce_caller);
  const SharedSecret salt =
      salt_to != nullptr ? NewSecretFor(salt_to->area, "SECRET") : SharedSecret{};
  const TPM2_HANDLE salt_key = salt_to != nullptr ? salt_to->object.handle : TPM2_RH_NULL;
  const TPMT_SYM_DEF symmetric = Session::Symmetric();
  TPMI_SH_AUTH_SESSION handle = 0;
  TPM2B_NONCE nonce_tpm{};
  Execute(channel, {.code = TPM2_CC_StartAuthSession,
                    .name = "TPM2_StartAuthSession",
                    .waits_for_session = without_room == WithoutRoom::Waits,
                    .prepare =
                        [&](Sys sys) {
                          return Tss2_Sys_StartAuthSession_Prepare(sys, salt_key, TPM2_RH_NULL,
                                                                   &nonce, &salt.encrypted, type,
                                                                   &symmetric, TPM2_ALG_SHA256);
                        },
                    .complete =
                        [&](Sys sys) {
                          return Tss2_Sys_StartAuthSession_Complete(sys, &handle, &nonce_tpm);
                        }});
  return {handle, nonce_caller, View(nonce_tpm), salt.secret,
          salt_to != nullptr ? salt_to->object.name : Bytes()};
}

Object Load(const Channel& channel, TPM2_HANDLE parent, const KeyBlob& blob) {
  const TPM2B_PUBLIC area = UnmarshalPublic(blob.public_area);
  const TPM2B_PRIVATE sensitive = UnmarshalPrivate(blob.private_area);
  Object object{0, NameOf(area.publicArea)};
  TPM2B_NAME name{};
  Execute(
      channel,
      {.code = TPM2_CC_Load,
       .name = "TPM2_Load",
       .prepare = [&](Sys sys) { return Tss2_Sys_Load_Prepare(sys, parent, &sensitive, &area); },
       .complete = [&](Sys sys) { return Tss2_Sys_Load_Complete(sys, &object.handle, &name); }},
      {&kEmptyPassword, 1});
  return object;
}

Creation Create(const Channel& channel, const Object& parent, Auth auth,
                const TPMS_SENSITIVE_CREATE& sensitive, const TPMT_PUBLIC& area,
                ByteView outside_info) {
  const Wiped<TPM2B_SENSITIVE_CREATE> in_sensitive{{0, sensitive}};
  const TPM2B_PUBLIC in_public{0, area};
  const auto outside = Tpm2b<TPM2B_DATA>(outside_info);
  const TPML_PCR_SELECTION creation_pcr{};
  TPM2B_PRIVATE out_private{};
  TPM2B_PUBLIC out_public{};
  TPM2B_CREATION_DATA creation_data{};
  Creation made;
  auth.encrypt_request = true;
  Execute(channel,
          {.code = TPM2_CC_Create,
           .name = "TPM2_Create",
           .names = {parent.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_Create_Prepare(sys, parent.handle, &in_sensitive.value, &in_public,
                                                &outside, &creation_pcr);
               },
           .complete =
               [&](Sys sys) {
                 return Tss2_Sys_Create_Complete(sys, &out_private, &out_public, &creation_data,
                                                 &made.hash, &made.ticket);
               }},
          {&auth, 1});
  made.blob = {Marshal(out_public), Marshal(out_private)};
  made.data = Marshal(creation_data.creationData);
  return made;
}

std::optional<TPMT_PUBLIC> ReadPublic(const Channel& channel, TPM2_HANDLE handle) {
  TPM2B_PUBLIC area{};
  TPM2B_NAME name{}, qualified_name{};
  try {
    Execute(channel, {.code = TPM2_CC_ReadPublic,
                      .name = "TPM2_ReadPublic",
                      .prepare = [&](Sys sys) { return Tss2_Sys_ReadPublic_Prepare(sys, handle); },
                      .complete =
                          [&](Sys sys) {
                            return Tss2_Sys_ReadPublic_Complete(sys, &area, &name, &qualified_name);
                          }});
  } catch (const CommandError& error) {
    if (BaseOf(error.native()) == TPM2_RC_HANDLE) return std::nullopt;
    throw;
  }
  return area.publicArea;
}

SecretBytes Unseal(const Channel& channel, const Object& item, Auth auth) {
  Wiped<TPM2B_SENSITIVE_DATA> secret;
  auth.encrypt_response = true;
  Execute(channel,
          {.code = TPM2_CC_Unseal,
           .name = "TPM2_Unseal",
           .names = {item.name},
           .prepare = [&](Sys sys) { return Tss2_Sys_Unseal_Prepare(sys, item.handle); },
           .complete = [&](Sys sys) { return Tss2_Sys_Unseal_Complete(sys, &secret.value); }},
          {&auth, 1});
  return SecretBytes(View(secret.value));
}

TPM2B_PRIVATE ObjectChangeAuth(const Channel& channel, const Object& object, const Object& parent,
                               Auth auth, const SecretBytes& new_auth) {
  const Wiped<TPM2B_AUTH> in_auth{Tpm2b<TPM2B_AUTH>(new_auth.view())};
  TPM2B_PRIVATE changed{};
  auth.encrypt_request = true;
  Execute(channel,
          {.code = TPM2_CC_ObjectChangeAuth,
           .name = "TPM2_ObjectChangeAuth",
           .names = {object.name, parent.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_ObjectChangeAuth_Prepare(sys, object.handle, parent.handle,
                                                          &in_auth.value);
               },
           .complete = [&](Sys sys) { return Tss2_Sys_ObjectChangeAuth_Complete(sys, &changed); }},
          {&auth, 1});
  return changed;
}

TPM2B_PRIVATE Import(const Channel& channel, TPM2_HANDLE parent, const TPM2B_PUBLIC& area,
                     const TPM2B_PRIVATE& duplicate, const TPM2B_ENCRYPTED_SECRET& seed) {
  const TPM2B_DATA no_inner_key{};
  TPMT_SYM_DEF_OBJECT no_inner_wrapper{};
  no_inner_wrapper.algorithm = TPM2_ALG_NULL;
  TPM2B_PRIVATE imported{};
  Execute(channel,
          {.code = TPM2_CC_Import,
           .name = "TPM2_Import",
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_Import_Prepare(sys, parent, &no_inner_key, &area, &duplicate,
                                                &seed, &no_inner_wrapper);
               },
           .complete = [&](Sys sys) { return Tss2_Sys_Import_Complete(sys, &imported); }},
          {&kEmptyPassword, 1});
  return imported;
}

SecretBytes RsaDecrypt(const Channel& channel, const Object& key, Auth auth, ByteView input) {
  const auto cipher_text = Tpm2b<TPM2B_PUBLIC_KEY_RSA>(input);
  TPMT_RSA_DECRYPT scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  const TPM2B_DATA label{};
  Wiped<TPM2B_PUBLIC_KEY_RSA> message;
  auth.encrypt_request = auth.encrypt_response = true;
  Execute(channel,
          {.code = TPM2_CC_RSA_Decrypt,
           .name = "TPM2_RSA_Decrypt",
           .names = {key.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_RSA_Decrypt_Prepare(sys, key.handle, &cipher_text, &scheme,
                                                     &label);
               },
           .complete = [&](Sys sys) { return Tss2_Sys_RSA_Decrypt_Complete(sys, &message.value); }},
          {&auth, 1});
  return SecretBytes(View(message.value));
}

SecretBytes EcdhZgen(const Channel& channel, const Object& key, Auth auth, const EcPublic& peer) {
  const TPM2B_ECC_POINT in_point{
      0, {Tpm2b<TPM2B_ECC_PARAMETER>(peer.x), Tpm2b<TPM2B_ECC_PARAMETER>(peer.y)}};
  Wiped<TPM2B_ECC_POINT> out_point;
  auth.encrypt_request = auth.encrypt_response = true;
  Execute(
      channel,
      {.code = TPM2_CC_ECDH_ZGen,
       .name = "TPM2_ECDH_ZGen",
       .names = {key.name},
       .prepare = [&](Sys sys) { return Tss2_Sys_ECDH_ZGen_Prepare(sys, key.handle, &in_point); },
       .complete = [&](Sys sys) { return Tss2_Sys_ECDH_ZGen_Complete(sys, &out_point.value); }},
      {&auth, 1});
  return SecretBytes(View(out_point.value.point.x));
}

TPMT_SIGNATURE Sign(const Channel& channel, const Object& key, Auth auth, TPM2_ALG_ID scheme,
                    TPM2_ALG_ID hash, ByteView digest) {
  const auto in_digest = Tpm2b<TPM2B_DIGEST>(digest);
  TPMT_SIG_SCHEME in_scheme{};
  in_scheme.scheme = scheme;
  in_scheme.details.any.hashAlg = hash;
  const TPMT_TK_HASHCHECK no_ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
  TPMT_SIGNATURE signature{};
  auth.encrypt_request = true;
  Execute(channel,
          {.code = TPM2_CC_Sign,
           .name = "TPM2_Sign",
           .names = {key.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_Sign_Prepare(sys, key.handle, &in_digest, &in_scheme, &no_ticket);
               },
           .complete = [&](Sys sys) { return Tss2_Sys_Sign_Complete(sys, &signature); }},
          {&auth, 1});
  return signature;
}

SecretBytes GetRandom(const Channel& channel, size_t size) {
  Wiped<TPM2B_DIGEST> random;
  Execute(channel,
          {.code = TPM2_CC_GetRandom,
           .name = "TPM2_GetRandom",
           .prepare =
               [&](Sys sys) { return Tss2_Sys_GetRandom_Prepare(sys, static_cast<UINT16>(size)); },
           .complete = [&](Sys sys) { return Tss2_Sys_GetRandom_Complete(sys, &random.value); }});
  return SecretBytes(View(random.value));
}

void StirRandom(const Channel& channel, ByteView seed) {
  const auto data = Tpm2b<TPM2B_SENSITIVE_DATA>(seed);
  Execute(channel, {.code = TPM2_CC_StirRandom,
                    .name = "TPM2_StirRandom",
                    .prepare = [&](Sys sys) { return Tss2_Sys_StirRandom_Prepare(sys, &data); },
                    .complete = Tss2_Sys_StirRandom_Complete});
}

StorageKey CreatePrimary(const Channel& channel, TPM2_HANDLE hierarchy, Auth auth,
                         const TPMT_PUBLIC& area) {
  const TPM2B_SENSITIVE_CREATE in_sensitive{};
  const TPM2B_PUBLIC in_public{0, area};
  const TPM2B_DATA outside_info{};
  const TPML_PCR_SELECTION creation_pcr{};
  TPM2_HANDLE handle = 0;
  TPM2B_PUBLIC out_public{};
  TPM2B_CREATION_DATA creation_data{};
  TPM2B_DIGEST creation_hash{};
  TPMT_TK_CREATION ticket{};
  TPM2B_NAME name{};
  Execute(channel,
          {.code = TPM2_CC_CreatePrimary,
           .name = "TPM2_CreatePrimary",
           .names = {Hierarchy(hierarchy).name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_CreatePrimary_Prepare(sys, hierarchy, &in_sensitive, &in_public,
                                                       &outside_info, &creation_pcr);
               },
           .complete =
               [&](Sys sys) {
                 return Tss2_Sys_CreatePrimary_Complete(sys, &handle, &out_public, &creation_data,
                                                        &creation_hash, &ticket, &name);
               }},
          {&auth, 1});
  return {{handle, NameOf(out_public.publicArea)}, out_public.publicArea};
}

void EvictControl(const Channel& channel, Auth auth, const Object& object, TPM2_HANDLE persistent) {
  const Object owner = Hierarchy(TPM2_RH_OWNER);
  Execute(channel,
          {.code = TPM2_CC_EvictControl,
           .name = "TPM2_EvictControl",
           .names = {owner.name, object.name},
           .prepare =
               [&](Sys sys) {
                 return Tss2_Sys_EvictControl_Prepare(sys, owner.handle, object.handle, persistent);
               },
           .complete = Tss2_Sys_EvictControl_Complete},
          {&auth, 1});
}

void FlushContext(const Channel& channel, TPM2_HANDLE handle) {
  Execute(channel, {.code = TPM2_CC_FlushContext,
                    .name = "TPM2_FlushContext",
                    .prepare = [&](Sys sys) { return Tss2_Sys_FlushContext_Prepare(sys, handle); },
                    .complete = Tss2_Sys_FlushContext_Complete});
}

bool GetCapability(const Channel& channel, TPM2_CAP capability, uint32_t first, uint32_t count,
                   TPMS_CAPABILITY_DATA& data) {
  TPMI_YES_NO more = 0;
  data = {};
  Execute(
      channel,
      {.code = TPM2_CC_GetCapability,
       .name = "TPM2_GetCapability",
       .prepare =
           [&](Sys sys) { return Tss2_Sys_GetCapability_Prepare(sys, capability, first, count); },
       .complete = [&](Sys sys) { return Tss2_Sys_GetCapability_Complete(sys, &more, &data); }});
  if (data.capability != capability)
    throw CommandError(Fault::DeviceGone, "TPM2_GetCapability: the answer is to another question",
                       0, Recovery::BadAnswer);
  return more != 0;
}

bool TestParms(const Channel& channel, const TPMT_PUBLIC_PARMS& parms) {
  try {
    Execute(channel, {.code = TPM2_CC_TestParms,
                      .name = "TPM2_TestParms",
                      .prepare = [&](Sys sys) { return Tss2_Sys_TestParms_Prepare(sys, &parms); },
                      .complete = Tss2_Sys_TestParms_Complete});
  } catch (const CommandError& error) {
    if (!error.Is(Fault::BadInput) && !error.Is(Fault::Unsupported)) throw;
    return false;
  }
  return true;
}

}  // namespace keyscope::tpm::tss
