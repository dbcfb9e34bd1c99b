// How this folder calls OpenSSL: a call that must not fail is checked, one that may leaves no
// trace.
#pragma once

#include <openssl/err.h>

#include "base/ossl.h"

namespace keyscope::crypto {

using ossl::Check;

// Around calls whose failure is an ordinary outcome: what they put on the thread's error queue is
// taken off again, and what the host had on it stays.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

}  // namespace keyscope::crypto
