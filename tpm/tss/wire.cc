#include "tpm/tss/wire.h"

#include <poll.h>

#include <cerrno>
#include <iterator>
#include <span>
#include <utility>

#include "tpm/tss/signals.h"

namespace keyscope::tpm::tss {
namespace {

TSS2_RC Transmit(TSS2_SYS_CONTEXT* sys) {
  const SignalsWait wait;
  return Tss2_Sys_ExecuteAsync(sys);
}

// Until there is an answer, or the connection has broken; signals may come meanwhile. At once where
// the TCTI does not tell what to wait for.
void AwaitAnswer(TSS2_SYS_CONTEXT* sys) {
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  if (Tss2_Sys_GetTctiContext(sys, &tcti) != TSS2_RC_SUCCESS) return;
  TSS2_TCTI_POLL_HANDLE handles[8];
  size_t count = std::size(handles);
  if (Tss2_Tcti_GetPollHandles(tcti, handles, &count) != TSS2_RC_SUCCESS || count == 0) return;
  for (TSS2_TCTI_POLL_HANDLE& handle : std::span(handles).first(count))
    handle.events = POLLIN;  // tabrmd's leaves them out
  while (poll(handles, count, -1) < 0 && errno == EINTR) continue;
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
  AwaitAnswer(sys);
  TSS2_RC rc;
  {
    const SignalsWait wait;
    rc = Tss2_Sys_ExecuteFinish(sys, TSS2_TCTI_TIMEOUT_BLOCK);
  }
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
