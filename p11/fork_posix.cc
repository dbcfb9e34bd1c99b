#include <pthread.h>

#include "base/log.h"
#include "p11/fork.h"
#include "tpm/backend.h"

namespace keyscope::p11 {

// Handlers of before a fork run last registered first, those of after it first registered first:
// the lock of the log is the innermost one, then comes that of tpm/.
void AroundForks(void (*before)(), void (*after)()) {
  pthread_atfork(log::LockForFork, log::UnlockAfterFork, log::UnlockAfterFork);
  pthread_atfork(tpm::LockForFork, tpm::UnlockAfterFork, tpm::UnlockAfterFork);
  pthread_atfork(before, after, after);
}

}  // namespace keyscope::p11
