// A character device before a TpmProxy's TPM, as tpm2-tss's device TCTI wants one (/dev/tpmrm0): a
// pseudo-terminal.
#pragma once

#include <string>
#include <thread>

#include "tests/support/tpm_proxy.h"

namespace keyscope::test {

class TpmDevice {
 public:
  explicit TpmDevice(TpmProxy& proxy);
  ~TpmDevice();
  TpmDevice(const TpmDevice&) = delete;
  TpmDevice& operator=(const TpmDevice&) = delete;

  const std::string& path() const { return path_; }
  // Nobody but root can open it any more: errno is EBUSY.
  void Exclude() const;

 private:
  void Serve(const std::stop_token& stop);

  TpmProxy& proxy_;
  int tpms_end_ = -1, clients_end_ = -1;  // the latter only keeps the terminal there
  std::string path_;
  std::jthread thread_;
};

}  // namespace keyscope::test
