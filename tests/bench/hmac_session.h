// An HMAC session straight over tss2-sys: what a TPM's owner must use whose keys' authorizations
// are not to be seen on its bus. No answer is checked.
#pragma once

#include <tss2/tss2_sys.h>

#include "base/bytes.h"

namespace keyscope::bench {

class HmacSession {
 public:
  explicit HmacSession(TSS2_SYS_CONTEXT* sys);  // throws std::runtime_error
  ~HmacSession();
  HmacSession(const HmacSession&) = delete;
  HmacSession& operator=(const HmacSession&) = delete;

  // Authorizes the command that is prepared, by its only handle's `name` and `auth_value`.
  void Authorize(TPM2_CC code, const TPM2B_NAME& name, ByteView auth_value);
  // Takes the TPM's nonce from the answer.
  void Answered();

 private:
  TSS2_SYS_CONTEXT* const sys_;
  TPMI_SH_AUTH_SESSION handle_ = 0;
  TPM2B_NONCE caller_{}, tpm_{};
};

}  // namespace keyscope::bench
