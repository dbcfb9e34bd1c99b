// The connection to one TPM: TCTI and system contexts, opened when first needed and after each
// breakdown; and the channels that commands take through it.
#pragma once

#include <tss2/tss2_sys.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "tpm/tss/wire.h"

namespace keyscope::tpm::tss {

// One thread at a time, but for IsOpen, and for one command in each system context.
class Connection {
 public:
  static constexpr size_t kContexts = 2;  // as many as Wire takes

  explicit Connection(std::string tcti) : tcti_name_(std::move(tcti)) {}
  ~Connection() { Drop(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool IsOpen() const noexcept { return open_; }
  // Sends no command. Fault::DeviceGone; the log tells of it once until it works again.
  void Open();
  void Drop() noexcept;

  TSS2_SYS_CONTEXT* sys(size_t number = 0) {
    return reinterpret_cast<TSS2_SYS_CONTEXT*>(sys_[number].get());
  }
  Wire& wire() { return wire_; }

 private:
  void Refuse(TSS2_RC rc);

  const std::string tcti_name_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  std::array<std::unique_ptr<std::max_align_t[]>, kContexts> sys_;
  Wire wire_;
  std::atomic<bool> open_ = false;
  bool failure_told_ = false;
};

// What a command goes through: a system context of an open connection.
class Channel {
 public:
  explicit Channel(Connection& connection, size_t number = 0)
      : connection_(connection), number_(number) {}

  TSS2_SYS_CONTEXT* sys() const { return connection_.sys(number_); }
  // Sends what is prepared in sys() and awaits the answer; `meanwhile`, which throws nothing, runs
  // while the TPM works.
  TSS2_RC Exchange(const std::function<void()>& meanwhile) const;

 private:
  Connection& connection_;
  size_t number_;
};

}  // namespace keyscope::tpm::tss
