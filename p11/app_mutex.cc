#include "p11/app_mutex.h"

#include "base/error.h"
#include "base/log.h"
#include "p11/rv_name.h"

namespace keyscope::p11 {
namespace {

void Check(CK_RV rv, const char* callback) {
  if (rv != CKR_OK)
    throw Error(Rv{rv}, std::string("the application's ") + callback + " answered " + RvName(rv));
}

}  // namespace

AppMutex::AppMutex(const InitializeArgs& args) : callbacks_(args) {
  Check(callbacks_.CreateMutex(&mutex_), "CreateMutex");
}

AppMutex::~AppMutex() { callbacks_.DestroyMutex(mutex_); }

void AppMutex::Lock() { Check(callbacks_.LockMutex(mutex_), "LockMutex"); }

void AppMutex::Unlock() noexcept {
  CK_RV rv = callbacks_.UnlockMutex(mutex_);
  // Too late to fail: the call is done.
  if (rv != CKR_OK) log::Warn("the application's UnlockMutex answered ", RvName(rv));
}

}  // namespace keyscope::p11
