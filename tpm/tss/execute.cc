#include "tpm/tss/execute.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "base/log.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/rc.h"

namespace keyscope::tpm::tss {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A busy TPM is asked again after 1, 2, 4 ... 256 ms: about two seconds, as long as a self-test
// takes.
constexpr unsigned kMaxAttempts = 15;
constexpr milliseconds kLongestPause{256};

using Auths = std::span<const Auth>;

TSS2_RC Send(const Channel& channel, const Command& command, Auths auths) {
  const auto start = steady_clock::now();
  const TSS2_RC rc = channel.Exchange([&] {
    for (const Auth& auth : auths)
      if (auth.session != nullptr) auth.session->DrawNonce();
  });
  if (log::On(log::Level::Trace)) {
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start);
    log::Trace(command.name, " rc=0x", std::hex, rc, std::dec, " ", took.count(), "us");
  }
  return rc;
}

// What an HMAC is made over, beside nonces and attributes (Part 1, section 16.7 and 16.8).
std::optional<Bytes> CpHash(TSS2_SYS_CONTEXT* sys, const Command& command) {
  size_t size = 0;
  const uint8_t* data = nullptr;
  if (Tss2_Sys_GetCpBuffer(sys, &size, &data) != TSS2_RC_SUCCESS) return std::nullopt;
  Bytes names;
  for (ByteView name : command.names) Append(names, name);
  return Digest(Session::kHash, {BigEndian32(command.code), names, {data, size}});
}
std::optional<Bytes> RpHash(TSS2_SYS_CONTEXT* sys, const Command& command) {
  size_t size = 0;
  const uint8_t* data = nullptr;
  if (Tss2_Sys_GetRpBuffer(sys, &size, &data) != TSS2_RC_SUCCESS) return std::nullopt;
  return Digest(Session::kHash,
                {BigEndian32(TPM2_RC_SUCCESS), BigEndian32(command.code), {data, size}});
}

TSS2_RC Authorize(TSS2_SYS_CONTEXT* sys, const Command& command, Auths auths) {
  for (const Auth& auth : auths) {
    const TSS2_RC rc = auth.session != nullptr ? auth.session->Encrypt(sys, auth) : TSS2_RC_SUCCESS;
    if (rc != TSS2_RC_SUCCESS) return rc;
  }
  const auto cp_hash = CpHash(sys, command);
  if (!cp_hash) return TSS2_SYS_RC_GENERAL_FAILURE;
  TSS2L_SYS_AUTH_COMMAND all{};
  for (const Auth& auth : auths)
    all.auths[all.count++] = auth.session != nullptr ? auth.session->Authorize(*cp_hash, auth)
                                                     : TPMS_AUTH_COMMAND{TPM2_RS_PW, {}, 0, {}};
  return Tss2_Sys_SetCmdAuths(sys, &all);
}

// Checks and decrypts the response. False when a session does not know it for the TPM's.
bool Accept(TSS2_SYS_CONTEXT* sys, const Command& command, Auths auths) {
  if (std::ranges::none_of(auths, &Auth::session)) return true;
  TSS2L_SYS_AUTH_RESPONSE answers{};
  // GetRspAuths comes first: it checks the sizes in the response, GetRpBuffer does not.
  if (Tss2_Sys_GetRspAuths(sys, &answers) != TSS2_RC_SUCCESS || answers.count != auths.size())
    return false;
  const auto rp_hash = RpHash(sys, command);
  if (!rp_hash) return false;
  for (size_t i = 0; i < auths.size(); ++i)
    if (auths[i].session != nullptr &&
        !auths[i].session->Accept(*rp_hash, answers.auths[i], auths[i]))
      return false;
  return std::ranges::all_of(auths, [&](const Auth& auth) {
    return auth.session == nullptr || auth.session->Decrypt(sys, auth) == TSS2_RC_SUCCESS;
  });
}

// Leaves no plaintext behind in the context's buffer.
void WipeResponse(TSS2_SYS_CONTEXT* sys) {
  size_t size = 0;
  const uint8_t* data = nullptr;
  if (Tss2_Sys_GetEncryptParam(sys, &size, &data) == TSS2_RC_SUCCESS)
    Tss2_Sys_SetEncryptParam(sys, size, Bytes(size).data());
}

// One attempt; returns what the TPM answered.
TSS2_RC Attempt(const Channel& channel, const Command& command, Auths auths) {
  TSS2_SYS_CONTEXT* sys = channel.sys();
  TSS2_RC rc = command.prepare(sys);
  if (rc == TSS2_RC_SUCCESS && !auths.empty()) rc = Authorize(sys, command, auths);
  // It has not seen the answer to its last command, which got lost.
  if (rc == TSS2_SYS_RC_BAD_SEQUENCE) return TSS2_TCTI_RC_IO_ERROR;
  if (rc != TSS2_RC_SUCCESS)
    throw Error(Fault::BadInput, std::string(command.name) + " cannot carry such a value", rc);
  rc = Send(channel, command, auths);
  if (rc != TSS2_RC_SUCCESS) return rc;
  if (!Accept(sys, command, auths))
    throw CommandError(Fault::KeyGone,
                       std::string(command.name) +
                           ": the response is not from the TPM that this token was made with",
                       TSS2_ESYS_RC_RSP_AUTH_FAILED, Recovery::BadAnswer);
  rc = command.complete(sys);
  if (std::ranges::any_of(auths, &Auth::encrypt_response)) WipeResponse(sys);
  return rc;
}

}  // namespace

void Execute(const Channel& channel, const Command& command, Auths auths) {
  for (unsigned attempt = 1;; ++attempt) {
    const TSS2_RC rc = Attempt(channel, command, auths);
    if (rc == TSS2_RC_SUCCESS) return;
    const CommandError error = MakeError(command.name, rc);
    if (!AsksToRepeat(rc) || attempt == kMaxAttempts ||
        (error.recovery() == Recovery::NoSession && !command.waits_for_session))
      throw error;
    std::this_thread::sleep_for(std::min(milliseconds(1) * (1 << (attempt - 1)), kLongestPause));
  }
}

}  // namespace keyscope::tpm::tss
