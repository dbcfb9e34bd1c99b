// A thread that is cancelled (pthread_cancel) inside a call would be unwound through the C ABI,
// which ends the process: the request waits until the call has returned.
#pragma once

#ifndef _WIN32
#include <pthread.h>
#endif

namespace keyscope::p11 {

class NoCancel {
#ifdef _WIN32  // threads are not cancelled there
 public:
  NoCancel() {}
#else
 public:
  NoCancel() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NoCancel() { pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;

 public:
#endif
  NoCancel(const NoCancel&) = delete;
  NoCancel& operator=(const NoCancel&) = delete;
};

}  // namespace keyscope::p11
