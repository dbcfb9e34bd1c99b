// Whose turn it is: one operation's, or that of two uses of loaded objects.
#include <algorithm>

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

Device::Turn::Turn(Device& device) : device_(device), lock_(device.mutex_) { BeAlone(); }

Device::Turn::Turn(Device& device, ByteView id, ByteView auth_value)
    : device_(device), lock_(device.mutex_) {
  const auto number = FreeLane();
  const Object* found = number ? device_.cache_.Find(id) : nullptr;
  if (found == nullptr) {
    BeAlone();
    return;
  }
  object_ = *found;
  auth_ = device_.HeldAuth(*number, auth_value);
  number_ = number;
  device_.lanes_[*number] = Lane::Busy;
  lock_.unlock();
}

// Nullopt: there is none to wait for.
std::optional<size_t> Device::Turn::FreeLane() {
  const auto& lanes = device_.lanes_;
  const auto sessions = device_.Sessions();
  for (;; device_.one_ended_.wait(lock_)) {
    if (device_.wait_alone_ != 0 || !device_.connection_.IsOpen() || !device_.InBurst()) return {};
    if (!*sessions[0]) return {};
    if (lanes[0] == Lane::Free) return 0;
    if (*sessions[1] && lanes[1] == Lane::Free) return 1;
    if (!*sessions[1] && !device_.other_refused_) {
      device_.wants_other_ = true;
      return {};
    }
  }
}

void Device::Turn::BeAlone() {
  const bool failed = number_.has_value();
  if (failed) {
    lock_.lock();
    device_.lanes_[*number_] = Lane::Failed;
    device_.alone_.notify_all();
  }
  ++device_.wait_alone_;
  device_.alone_.wait(lock_, [&] {
    return std::ranges::all_of(device_.lanes_, [&](Lane lane) {
      return lane == Lane::Free || (failed && lane == Lane::Failed);
    });
  });
  --device_.wait_alone_;
}

Device::Turn::~Turn() {
  if (number_) {
    if (!lock_.owns_lock()) lock_.lock();
    device_.lanes_[*number_] = Lane::Free;
    device_.Settle();
  }
  lock_.unlock();
  device_.alone_.notify_all();
  device_.one_ended_.notify_one();
}

bool Device::NobodyInLanes() const {
  return std::ranges::all_of(lanes_, [](Lane lane) { return lane == Lane::Free; });
}

}  // namespace keyscope::tpm::tss
