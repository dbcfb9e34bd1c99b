// The connection to one TPM: TCTI and system context, opened when first needed and after each
// breakdown.
#pragma once

#include <tss2/tss2_sys.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace keyscope::tpm::tss {

// One thread at a time, but for IsOpen.
class Connection {
 public:
  explicit Connection(std::string tcti) : tcti_name_(std::move(tcti)) {}
  ~Connection() { Drop(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool IsOpen() const noexcept { return open_; }
  // Sends no command. Fault::DeviceGone; the log tells of it once until it works again.
  void Open();
  void Drop() noexcept;

  TSS2_SYS_CONTEXT* sys() { return reinterpret_cast<TSS2_SYS_CONTEXT*>(sys_.get()); }

 private:
  void Refuse(TSS2_RC rc);

  const std::string tcti_name_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  std::unique_ptr<std::max_align_t[]> sys_;
  std::atomic<bool> open_ = false;
  bool failure_told_ = false;
};

}  // namespace keyscope::tpm::tss
