#include "tests/support/tpm_device.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <stdexcept>

namespace keyscope::test {
namespace {

constexpr int kPollTimeout = 50;  // milliseconds until it looks whether it is to stop
constexpr size_t kLargest = 4096;

}  // namespace

TpmDevice::TpmDevice(TpmProxy& proxy)
    : proxy_(proxy), tpms_end_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  if (tpms_end_ < 0 || ::grantpt(tpms_end_) != 0 || ::unlockpt(tpms_end_) != 0)
    throw std::runtime_error("no pseudo-terminal");
  path_ = ::ptsname(tpms_end_);
  clients_end_ = ::open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios bytes_as_they_are{};
  ::tcgetattr(clients_end_, &bytes_as_they_are);
  ::cfmakeraw(&bytes_as_they_are);
  ::tcsetattr(clients_end_, TCSANOW, &bytes_as_they_are);
  thread_ = std::jthread([this](const std::stop_token& stop) { Serve(stop); });
}

TpmDevice::~TpmDevice() {
  thread_ = {};
  ::close(clients_end_);
  ::close(tpms_end_);
}

void TpmDevice::Exclude() const { ::ioctl(clients_end_, TIOCEXCL); }

void TpmDevice::Serve(const std::stop_token& stop) {
  Bytes command;
  while (!stop.stop_requested()) {
    pollfd readable{tpms_end_, POLLIN, 0};
    if (::poll(&readable, 1, kPollTimeout) <= 0) continue;
    Bytes part(kLargest);
    const ssize_t got = ::read(tpms_end_, part.data(), part.size());
    if (got <= 0) return;
    command.insert(command.end(), part.begin(), part.begin() + got);
    if (!IsWholeFrame(command)) continue;
    const Bytes answer = proxy_.Ask(command);
    if (::write(tpms_end_, answer.data(), answer.size()) < 0) return;
    command.clear();
  }
}

}  // namespace keyscope::test
