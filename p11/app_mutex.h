// The application's own mutex (section 5.4, C_Initialize): the one that serialises all calls when
// the application gives its four callbacks and does not allow the operating system's locking.
#pragma once

#include "p11/cryptoki.h"

namespace keyscope::p11 {

class AppMutex {
 public:
  // What CreateMutex answers, other than CKR_OK, is thrown.
  explicit AppMutex(const InitializeArgs& args);
  ~AppMutex();
  AppMutex(const AppMutex&) = delete;
  AppMutex& operator=(const AppMutex&) = delete;

  void Lock();  // what LockMutex answers, other than CKR_OK, is thrown
  void Unlock() noexcept;

 private:
  InitializeArgs callbacks_;
  void* mutex_ = nullptr;
};

// Holds the mutex, if there is one.
class AppLock {
 public:
  explicit AppLock(AppMutex* mutex) : mutex_(mutex) {
    if (mutex_ != nullptr) mutex_->Lock();
  }
  ~AppLock() {
    if (mutex_ != nullptr) mutex_->Unlock();
  }
  AppLock(const AppLock&) = delete;
  AppLock& operator=(const AppLock&) = delete;

 private:
  AppMutex* mutex_;
};

}  // namespace keyscope::p11
