#include "tpm/tss/signals.h"

#include <initializer_list>

namespace keyscope::tpm::tss {

SignalsWait::SignalsWait() {
  sigset_t all;
  sigfillset(&all);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, &before_);
  if (sigismember(&before_, SIGPIPE) == 0) return;  // then none can have been pending
  sigset_t pending;
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
}

SignalsWait::~SignalsWait() {
  sigset_t sigpipe;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  const timespec now{};
  if (!was_pending_)
    while (sigtimedwait(&sigpipe, nullptr, &now) == SIGPIPE) {
    }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace keyscope::tpm::tss
