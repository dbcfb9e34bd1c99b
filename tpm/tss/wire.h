// The way to the TPM and back. A TPM does one command at a time: whoever has its answer sends the
// command that another thread has ready, so that the TPM need not wait for that thread to wake.
#pragma once

#include <tss2/tss2_sys.h>

#include <condition_variable>
#include <mutex>

namespace keyscope::tpm::tss {

// For two threads at a time, each with a system context of its own over the same TCTI.
class Wire {
 public:
  // Sends what is prepared in `sys`, once the command before it has been answered.
  TSS2_RC Send(TSS2_SYS_CONTEXT* sys);
  // The answer to what Send has sent.
  TSS2_RC Receive(TSS2_SYS_CONTEXT* sys);

 private:
  struct Ready {
    TSS2_SYS_CONTEXT* sys;
    bool sent = false;
    TSS2_RC rc = TSS2_RC_SUCCESS;
  };
  // The command before is done with.
  void SendNext();

  std::mutex mutex_;
  bool busy_ = false;
  Ready* next_ = nullptr;
  std::condition_variable sent_;
};

}  // namespace keyscope::tpm::tss
