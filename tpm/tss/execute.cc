#include "tpm/tss/execute.h"

#include <chrono>
#include <csignal>
#include <thread>

#include "base/log.h"
#include "tpm/tss/rc.h"

namespace keyscope::tpm::tss {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A busy TPM is asked again after 1, 2, 4 ... 256 ms: about two seconds, as long as a self-test
// takes.
constexpr unsigned kMaxAttempts = 15;
constexpr milliseconds kLongestPause{256};

// TCTIs write to sockets with plain write(): without this a TPM service that went away would end
// the host.
class SigpipeBlocker {
 public:
  SigpipeBlocker() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeBlocker() {
    const timespec now{};
    if (!was_pending_)
      while (sigtimedwait(&sigpipe_, nullptr, &now) == SIGPIPE) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocker(const SigpipeBlocker&) = delete;
  SigpipeBlocker& operator=(const SigpipeBlocker&) = delete;

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_;
};

TSS2_RC Send(TSS2_SYS_CONTEXT* sys, const Command& command) {
  const SigpipeBlocker blocker;
  const auto start = steady_clock::now();
  const TSS2_RC rc = Tss2_Sys_Execute(sys);
  if (log::On(log::Level::Trace)) {
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start);
    log::Trace(command.name, " rc=0x", std::hex, rc, std::dec, " ", took.count(), "us");
  }
  return rc;
}

TSS2_RC Authorize(TSS2_SYS_CONTEXT* sys, const Command& command, const Auth& auth) {
  if (auth.session != nullptr) return auth.session->Protect(sys, command.code, command.names, auth);
  const TSS2L_SYS_AUTH_COMMAND password = {1, {{TPM2_RS_PW, {}, 0, {}}}};
  return Tss2_Sys_SetCmdAuths(sys, &password);
}

// Leaves no plaintext behind in the context's buffer.
void WipeResponse(TSS2_SYS_CONTEXT* sys) {
  size_t size = 0;
  const uint8_t* data = nullptr;
  if (Tss2_Sys_GetEncryptParam(sys, &size, &data) == TSS2_RC_SUCCESS)
    Tss2_Sys_SetEncryptParam(sys, size, Bytes(size).data());
}

// One attempt; returns what the TPM answered.
TSS2_RC Attempt(TSS2_SYS_CONTEXT* sys, const Command& command, const Auth* auth) {
  TSS2_RC rc = command.prepare(sys);
  if (rc == TSS2_RC_SUCCESS && auth != nullptr) rc = Authorize(sys, command, *auth);
  if (rc != TSS2_RC_SUCCESS)
    throw Error(Fault::BadInput, std::string(command.name) + " cannot carry such a value", rc);
  rc = Send(sys, command);
  if (rc != TSS2_RC_SUCCESS) return rc;
  if (auth != nullptr && auth->session != nullptr &&
      !auth->session->Accept(sys, command.code, *auth))
    throw CommandError(Fault::KeyGone,
                       std::string(command.name) +
                           ": the response is not from the TPM that this token was made with",
                       TSS2_ESYS_RC_RSP_AUTH_FAILED, Recovery::BadAnswer);
  rc = command.complete(sys);
  if (auth != nullptr && auth->encrypt_response) WipeResponse(sys);
  return rc;
}

}  // namespace

void Execute(Connection& connection, const Command& command, const Auth* auth) {
  for (unsigned attempt = 1;; ++attempt) {
    const TSS2_RC rc = Attempt(connection.sys(), command, auth);
    if (rc == TSS2_RC_SUCCESS) return;
    if (!AsksToRepeat(rc) || attempt == kMaxAttempts) throw MakeError(command.name, rc);
    std::this_thread::sleep_for(std::min(milliseconds(1) * (1 << (attempt - 1)), kLongestPause));
  }
}

}  // namespace keyscope::tpm::tss
