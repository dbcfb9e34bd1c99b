#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ossl.h"
#include "p11/fork.h"
#include "tpm/backend.h"

namespace keyscope::p11 {
namespace {

constexpr size_t kMark = 1;  // bytes; the kernel makes whole pages of it

}  // namespace

// Handlers of before a fork run last registered first, those of after it first registered first:
// the lock of the log is the innermost one, then come those of OpenSSL's algorithms and of tpm/.
void AroundForks(void (*before)(), void (*after)()) {
  pthread_atfork(log::LockForFork, log::UnlockAfterFork, log::UnlockAfterFork);
  pthread_atfork(ossl::LockForFork, ossl::UnlockAfterFork, ossl::UnlockAfterFork);
  pthread_atfork(tpm::LockForFork, tpm::UnlockAfterFork, tpm::UnlockAfterFork);
  pthread_atfork(before, after, after);
}

Birthplace::Birthplace() : pid_(getpid()) {
#ifdef MADV_WIPEONFORK
  constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS;
  void* page = mmap(nullptr, kMark, PROT_READ | PROT_WRITE, kOwn, -1, 0);
  if (page == MAP_FAILED) return;
  if (madvise(page, kMark, MADV_WIPEONFORK) == 0)
    *static_cast<char*>(page_ = page) = 1;
  else
    munmap(page, kMark);
#endif
}

Birthplace::~Birthplace() {
  if (page_ != nullptr) munmap(page_, kMark);
}

bool Birthplace::IsHere() const {
  return page_ != nullptr ? *static_cast<const char*>(page_) != 0 : pid_ == getpid();
}

}  // namespace keyscope::p11
