// The host's signals while a TCTI is at work. TCTIs write to sockets with plain write(), so that a
// TPM service that went away would end the host by SIGPIPE; and they take a call that a signal has
// interrupted for a broken connection, whatever SA_RESTART says: poll() is never restarted.
#pragma once

#include <csignal>

namespace keyscope::tpm::tss {

// Keeps all signals from this thread until it goes, and takes the SIGPIPE that came meanwhile. Not
// to be held while the TPM works: the host's Ctrl-C would wait for it.
class SignalsWait {
 public:
  SignalsWait();
  ~SignalsWait();
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

 private:
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace keyscope::tpm::tss
