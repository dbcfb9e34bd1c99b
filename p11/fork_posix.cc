#include <pthread.h>

#include "p11/fork.h"
#include "tpm/backend.h"

namespace keyscope::p11 {

// Handlers of before a fork run last registered first, those of after it first registered first:
// the lock of tpm/ is the inner one.
void AroundForks(void (*before)(), void (*after)()) {
  pthread_atfork(tpm::LockForFork, tpm::UnlockAfterFork, tpm::UnlockAfterFork);
  pthread_atfork(before, after, after);
}

}  // namespace keyscope::p11
