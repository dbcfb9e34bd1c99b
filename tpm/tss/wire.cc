#include "tpm/tss/wire.h"

#include <csignal>
#include <utility>

namespace keyscope::tpm::tss {
namespace {

// TCTIs write to sockets with plain write(): without this a TPM service that went away would end
// the host.
class SigpipeBlocker {
 public:
  SigpipeBlocker() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    if (sigismember(&before_, SIGPIPE) == 0) return;  // then none can have been pending
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
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
  bool was_pending_ = false;
};

TSS2_RC Transmit(TSS2_SYS_CONTEXT* sys) {
  const SigpipeBlocker blocker;
  return Tss2_Sys_ExecuteAsync(sys);
}

}  // namespace

TSS2_RC Wire::Send(TSS2_SYS_CONTEXT* sys) {
  std::unique_lock lock(mutex_);
  if (busy_) {
    Ready ready{sys};
    next_ = &ready;
    sent_.wait(lock, [&] { return ready.sent; });
    return ready.rc;
  }
  busy_ = true;
  lock.unlock();
  const TSS2_RC rc = Transmit(sys);
  if (rc != TSS2_RC_SUCCESS) SendNext();
  return rc;
}

TSS2_RC Wire::Receive(TSS2_SYS_CONTEXT* sys) {
  const TSS2_RC rc = Tss2_Sys_ExecuteFinish(sys, TSS2_TCTI_TIMEOUT_BLOCK);
  SendNext();
  return rc;
}

void Wire::SendNext() {
  std::unique_lock lock(mutex_);
  busy_ = false;
  if (next_ == nullptr) return;
  Ready& ready = *std::exchange(next_, nullptr);
  ready.rc = Transmit(ready.sys);
  busy_ = ready.rc == TSS2_RC_SUCCESS;
  ready.sent = true;
  lock.unlock();
  sent_.notify_one();
}

}  // namespace keyscope::tpm::tss
