#include "tpm/tss/device.h"

#include <ios>
#include <iterator>

#include "base/log.h"

namespace keyscope::tpm::tss {
namespace {

// The TPM drops trailing zeros of auth values (Part 1, section 19.6.5).
ByteView WithoutTrailingZeros(ByteView value) {
  while (!value.empty() && value.back() == 0) value = value.first(value.size() - 1);
  return value;
}

}  // namespace

Device::Device(const TssOptions& options)
    : owner_auth_(options.owner_auth.Clone()),
      threads_(options.threads),
      connection_(options.tcti),
      idle_(mutex_, [this] { FlushSession(); }) {}

bool Device::Present() noexcept {
  if (connection_.IsOpen()) return true;
  std::lock_guard lock(mutex_);
  try {
    connection_.Open();
    return true;
  } catch (...) {
    return false;
  }
}

void Device::Release(ByteView uid) noexcept {
  if (uid.empty()) idle_.Stop();
  std::lock_guard lock(mutex_);
  if (uid.empty()) {
    FlushAll();
    last_burst_use_ = {};
  } else if (const auto handle = cache_.Remove(uid)) {
    Flush(*handle);
  }
}

bool Device::KeepSession(Hold hold) {
  const auto now = Clock::now();
  const bool in_burst = now - last_burst_use_ < kIdle;
  if (hold == Hold::InBurst) last_burst_use_ = now;
  return threads_ && (hold == Hold::Always || (hold == Hold::InBurst && in_burst));
}

Auth Device::Begin(const StorageKey* salt_to, ByteView auth_value, Hold hold) {
  if (salt_to != nullptr && session_ && session_->salted_to() != salt_to->object.name)
    FlushSession();
  try {
    if (!session_) session_.emplace(StartAuthSession(connection_, salt_to));
  } catch (const CommandError& error) {
    // The TPM could not read the salt.
    if (error.Is(Fault::BadInput)) throw WithFault(error, Fault::KeyGone, kAdviceCleared);
    throw;
  }
  return {
      .session = &*session_, .value = WithoutTrailingZeros(auth_value), .keep = KeepSession(hold)};
}

void Device::End(const Auth& auth) {
  if (auth.session != nullptr && !auth.keep) session_.reset();
}

void Device::Settle() noexcept {
  if (!session_) return;
  try {
    idle_.Arm();
  } catch (const std::exception& error) {
    log::Debug("no thread to give the TPM session back later, so it goes now: ", error.what());
    FlushSession();
  }
}

bool Device::Recover(Recovery recovery, Retry retry, bool first_time) {
  switch (recovery) {
    case Recovery::None:
      FlushSession();
      return false;
    case Recovery::NoRoom: {
      cache_.LearnCapacity();
      if (const auto oldest = cache_.RemoveOldest()) {
        Flush(*oldest);
        return true;
      }
      FlushSession();
      return FlushLeftovers();
    }
    case Recovery::NoAnswer:
    case Recovery::BadAnswer:
      connection_.Drop();
      // Without a resource manager our objects may still be there.
      try {
        connection_.Open();
      } catch (const Error&) {
      }
      break;
    case Recovery::Stale:
      break;
  }
  FlushAll();
  return first_time && (recovery != Recovery::BadAnswer || retry == Retry::Always);
}

void Device::FlushSession() noexcept {
  if (!session_) return;
  const TPM2_HANDLE handle = session_->handle();
  session_.reset();
  Flush(handle);
}

void Device::FlushAll() noexcept {
  FlushSession();
  for (TPM2_HANDLE handle : cache_.RemoveAll()) Flush(handle);
}

bool Device::FlushLeftovers() noexcept try {
  bool any = false;
  for (uint32_t first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST}) {
    TPMS_CAPABILITY_DATA data{};
    GetCapability(connection_, TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES, data);
    const TPML_HANDLE& left = data.data.handles;
    for (uint32_t i = 0; i < left.count && i < std::size(left.handle); ++i) {
      log::Warn(
          "the TPM is full, and nothing in it is ours: handle 0x", std::hex, left.handle[i],
          " that another process left is flushed; a resource manager (/dev/tpmrm0) avoids that");
      Flush(left.handle[i]);
      any = true;
    }
  }
  return any;
} catch (const std::exception& error) {
  log::Debug("what is left in the TPM could not be listed: ", error.what());
  return false;
}

void Device::Flush(TPM2_HANDLE handle) noexcept {
  if (!connection_.IsOpen()) return;
  try {
    FlushContext(connection_, handle);
  } catch (const CommandError& error) {
    log::Debug("a TPM handle could not be given back: ", error.what());
    if (error.recovery() == Recovery::NoAnswer || error.recovery() == Recovery::BadAnswer)
      connection_.Drop();
  } catch (const std::exception& error) {
    log::Debug("a TPM handle could not be given back: ", error.what());
  }
}

}  // namespace keyscope::tpm::tss
