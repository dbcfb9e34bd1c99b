#include "tpm/tss/connection.h"

#include <fcntl.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <mutex>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/log.h"
#include "tpm/backend.h"
#include "tpm/tss/signals.h"

namespace keyscope::tpm {

namespace {

// Not a recursive one: that remembers its owner's thread ID, so the child of a fork could not
// unlock it.
std::mutex& LoaderMutex() {
  static auto& mutex = *new std::mutex;
  return mutex;
}
// This thread holds it: some TCTIs fork to connect.
thread_local bool loading = false;

// While a TCTI is loaded or unloaded: the loader's own lock is not to be held when a child is made.
class Loading {
 public:
  Loading() { loading = true; }
  ~Loading() { loading = false; }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

 private:
  const std::lock_guard<std::mutex> lock_{LoaderMutex()};
};

}  // namespace

void LockForFork() {
  if (!loading) LoaderMutex().lock();
}
void UnlockAfterFork() {
  if (!loading) LoaderMutex().unlock();
}

namespace tss {
namespace {

// What the operating system says about the device file of a "device:" TCTI.
std::string AdviceFor(const std::string& tcti) {
  constexpr std::string_view kDevice = "device:";
  if (!tcti.starts_with(kDevice)) return "; is the TPM service running?";
  const std::string path = tcti.substr(kDevice.size());
  const int device = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (device >= 0) {
    ::close(device);
    return "; " + path + " opens, but does not answer as a TPM: is it one?";
  }
  if (errno == EACCES)
    return "; no right to open " + path + ": add the account to the group that owns it (often tss)";
  if (errno == EBUSY)
    return "; another program has " + path + " open: use /dev/tpmrm0, which programs can share";
  return "; " + path + ": " + std::strerror(errno) +
         ": is there a TPM, and is it on in the firmware?";
}

// TCTIs open the TPM without O_CLOEXEC: each program that the host starts would have it, with what
// we have loaded there.
void KeepFromOtherPrograms(TSS2_TCTI_CONTEXT* tcti) {
  TSS2_TCTI_POLL_HANDLE handles[8];
  size_t count = std::size(handles);
  if (Tss2_Tcti_GetPollHandles(tcti, handles, &count) != TSS2_RC_SUCCESS) return;
  for (const auto& handle : std::span(handles).first(count)) {
    const int flags = ::fcntl(handle.fd, F_GETFD);
    if (flags >= 0) ::fcntl(handle.fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

// Takes the standard streams that the host has closed: what it prints must not go to the TPM.
class LowDescriptors {
 public:
  LowDescriptors() {
    int taken = -1;
    while ((taken = ::open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && taken <= STDERR_FILENO)
      taken_[taken] = true;
    if (taken >= 0) ::close(taken);
  }
  ~LowDescriptors() {
    for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor)
      if (taken_[descriptor]) ::close(descriptor);
  }
  LowDescriptors(const LowDescriptors&) = delete;
  LowDescriptors& operator=(const LowDescriptors&) = delete;

 private:
  bool taken_[STDERR_FILENO + 1] = {};
};

}  // namespace

void Connection::Open() {
  if (open_) return;
  TSS2_RC rc;
  {
    const Loading lock;
    // A command that is started here would keep the signals for itself.
    std::optional<SignalsWait> wait;
    if (!tcti_name_.starts_with("cmd")) wait.emplace();
    const LowDescriptors taken;
    rc = Tss2_TctiLdr_Initialize(tcti_name_.c_str(), &tcti_);
    if (rc == TSS2_RC_SUCCESS) KeepFromOtherPrograms(tcti_);
  }
  if (rc != TSS2_RC_SUCCESS) Refuse(rc);
  const size_t size = Tss2_Sys_GetContextSize(0);
  for (size_t i = 0; i < kContexts; ++i) {
    sys_[i] = std::make_unique<std::max_align_t[]>(size / sizeof(std::max_align_t) + 1);
    TSS2_ABI_VERSION version = TSS2_ABI_VERSION_CURRENT;
    rc = Tss2_Sys_Initialize(sys(i), size, tcti_, &version);
    if (rc != TSS2_RC_SUCCESS) Refuse(rc);
  }
  open_ = true;
  failure_told_ = false;
}

void Connection::Refuse(TSS2_RC rc) {
  Drop();
  const std::string text = "no connection to the TPM through " + tcti_name_ + ": " +
                           Tss2_RC_Decode(rc) + AdviceFor(tcti_name_);
  if (!std::exchange(failure_told_, true)) log::Warn(text);
  throw Error(Fault::DeviceGone, text, rc);
}

void Connection::Drop() noexcept {
  open_ = false;
  for (auto& context : sys_) context.reset();  // holds no resources of its own
  if (tcti_ == nullptr) return;
  const Loading lock;
  Tss2_TctiLdr_Finalize(&tcti_);
  tcti_ = nullptr;
}

TSS2_RC Channel::Exchange(const std::function<void()>& meanwhile) const {
  const TSS2_RC rc = connection_.wire().Send(sys());
  if (rc != TSS2_RC_SUCCESS) return rc;
  meanwhile();
  return connection_.wire().Receive(sys());
}

}  // namespace tss
}  // namespace keyscope::tpm
