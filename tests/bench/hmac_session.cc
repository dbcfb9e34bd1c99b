#include "tests/bench/hmac_session.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "tests/bench/must.h"

namespace keyscope::bench {
HmacSession::HmacSession(TSS2_SYS_CONTEXT* sys) : sys_(sys) {
  constexpr TPMT_SYM_DEF kNone{TPM2_ALG_NULL, {}, {}};
  const TPM2B_ENCRYPTED_SECRET salt{};
  caller_.size = 16;
  Must(Tss2_Sys_StartAuthSession(sys_, TPM2_RH_NULL, TPM2_RH_NULL, nullptr, &caller_, &salt,
                                 TPM2_SE_HMAC, &kNone, TPM2_ALG_SHA256, &handle_, &tpm_,
                                 nullptr) == TSS2_RC_SUCCESS,
       "TPM2_StartAuthSession");
}

HmacSession::~HmacSession() { Tss2_Sys_FlushContext(sys_, handle_); }

// Part 1, sections 16.7 (cpHash) and 17.6 (the HMAC).
void HmacSession::Authorize(TPM2_CC code, const TPM2B_NAME& name, ByteView auth_value) {
  size_t size = 0;
  const uint8_t* parameters = nullptr;
  Must(Tss2_Sys_GetCpBuffer(sys_, &size, &parameters) == TSS2_RC_SUCCESS, "Tss2_Sys_GetCpBuffer");
  const Bytes command = {static_cast<uint8_t>(code >> 24), static_cast<uint8_t>(code >> 16),
                         static_cast<uint8_t>(code >> 8), static_cast<uint8_t>(code)};
  const Bytes hashed = Concat({command, {name.name, name.size}, {parameters, size}});
  Bytes digest(32);
  Must(EVP_Digest(hashed.data(), hashed.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1,
       "EVP_Digest");

  TSS2L_SYS_AUTH_COMMAND auths{};
  auths.count = 1;
  TPMS_AUTH_COMMAND& auth = auths.auths[0];
  Must(RAND_bytes(caller_.buffer, caller_.size) == 1, "RAND_bytes");
  auth.sessionHandle = handle_;
  auth.nonce = caller_;
  auth.sessionAttributes = TPMA_SESSION_CONTINUESESSION;
  const Bytes message = Concat({digest,
                                {caller_.buffer, caller_.size},
                                {tpm_.buffer, tpm_.size},
                                {&auth.sessionAttributes, sizeof auth.sessionAttributes}});
  unsigned length = 0;
  Must(HMAC(EVP_sha256(), auth_value.data(), static_cast<int>(auth_value.size()), message.data(),
            message.size(), auth.hmac.buffer, &length) != nullptr,
       "HMAC");
  auth.hmac.size = static_cast<uint16_t>(length);
  Must(Tss2_Sys_SetCmdAuths(sys_, &auths) == TSS2_RC_SUCCESS, "Tss2_Sys_SetCmdAuths");
}

void HmacSession::Answered() {
  TSS2L_SYS_AUTH_RESPONSE answers{};
  Must(Tss2_Sys_GetRspAuths(sys_, &answers) == TSS2_RC_SUCCESS && answers.count == 1,
       "Tss2_Sys_GetRspAuths");
  tpm_ = answers.auths[0].nonce;
}

}  // namespace keyscope::bench
