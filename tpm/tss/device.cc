#include "tpm/tss/device.h"

#include <algorithm>
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

Device::Device(const BackendOptions& options)
    : owner_auth_(options.owner_auth.Clone()),
      endorsement_auth_(options.endorsement_auth.Clone()),
      threads_(options.threads),
      connection_(options.tcti),
      idle_(mutex_, [this] {
        if (NobodyInLanes()) FlushSessions();  // else the end of a use arms it again
      }) {}

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
  const Turn alone(*this);
  if (uid.empty()) {
    FlushAll();
    last_burst_use_ = {};
    other_refused_ = false;
  } else {
    Forget(uid);
  }
}

void Device::Forget(ByteView id) noexcept {
  if (const auto handle = cache_.Remove(id)) Flush(*handle);
}

void Device::MakeRoom() noexcept {
  while (cache_.Full()) Flush(*cache_.RemoveOldest());
}

bool Device::KeepSession(Hold hold) {
  const bool in_burst = InBurst();
  if (hold == Hold::InBurst) last_burst_use_ = Clock::now();
  return threads_ && (hold == Hold::Always || (hold == Hold::InBurst && in_burst));
}

Auth Device::HeldAuth(size_t number, ByteView auth_value) {
  last_burst_use_ = Clock::now();
  return {
      .session = &**Sessions()[number], .value = WithoutTrailingZeros(auth_value), .keep = true};
}

void Device::OpenOther() try {
  if (std::exchange(wants_other_, false) && !other_session_)
    other_session_.emplace(
        StartAuthSession(channel(), TPM2_SE_HMAC, nullptr, WithoutRoom::Refused));
} catch (const CommandError& error) {
  if (error.recovery() != Recovery::NoSession) throw;
  log::Debug("uses of keys do not overlap: ", error.what());
  other_refused_ = true;
}

Auth Device::Begin(const StorageKey* salt_to, ByteView auth_value, Hold hold) {
  if (salt_to != nullptr && session_ && session_->salted_to() != salt_to->object.name)
    FlushSessions();
  try {
    if (!session_) session_.emplace(StartAuthSession(channel(), TPM2_SE_HMAC, salt_to));
  } catch (const CommandError& error) {
    // The TPM could not read the salt.
    if (error.Is(Fault::BadInput)) throw WithFault(error, Fault::KeyGone, kAdviceCleared);
    throw;
  }
  const Auth auth{
      .session = &*session_, .value = WithoutTrailingZeros(auth_value), .keep = KeepSession(hold)};
  if (auth.keep) OpenOther();
  return auth;
}

Auth Device::BeginPolicy(ByteView auth_value, Hold hold) {
  if (!policy_session_)
    policy_session_.emplace(StartAuthSession(channel(), TPM2_SE_POLICY, nullptr));
  return {.session = &*policy_session_,
          .value = WithoutTrailingZeros(auth_value),
          .keep = KeepSession(hold)};
}

Auth Device::BeginOther(const Auth& first, ByteView auth_value) {
  if (!other_session_) other_session_.emplace(StartAuthSession(channel(), TPM2_SE_HMAC, nullptr));
  return {
      .session = &*other_session_, .value = WithoutTrailingZeros(auth_value), .keep = first.keep};
}

void Device::End(const Auth& auth) {
  if (auth.keep) return;
  for (std::optional<Session>* session : Sessions())
    if (*session && &**session == auth.session) session->reset();
}

void Device::Settle() noexcept {
  if (std::ranges::none_of(Sessions(), [](const auto* session) { return session->has_value(); }))
    return;
  try {
    idle_.Arm();
  } catch (const std::exception& error) {
    log::Debug("no thread to give the TPM session back later, so it goes now: ", error.what());
    FlushSessions();
  }
}

bool Device::Recover(Recovery recovery, Retry retry, bool first_time, unsigned attempt) {
  switch (recovery) {
    case Recovery::None:
      FlushSessions();
      return false;
    case Recovery::NoRoom:
      // A command that failed leaves the sessions as they were, but what a policy has been told
      // before it would count twice.
      Flush(policy_session_);
      cache_.LearnCapacity();
      if (attempt <= kMaxOwnEvictions) {
        if (const auto oldest = cache_.RemoveOldest()) {
          Flush(*oldest);
          return true;
        }
      }
      FlushAll();
      return FlushLeftovers(TPM2_TRANSIENT_FIRST);
    case Recovery::NoSession:
      FlushSessions();
      return FlushLeftovers(TPM2_LOADED_SESSION_FIRST);
    case Recovery::NoAnswer:
    case Recovery::BadAnswer:
      Reconnect();  // without a resource manager our objects may still be there
      break;
    case Recovery::Stale:
      break;
  }
  FlushAll();
  return first_time && (recovery != Recovery::BadAnswer || retry == Retry::Always);
}

void Device::Reconnect() noexcept try {
  connection_.Drop();
  connection_.Open();
} catch (const std::exception&) {  // it has told the log, and the next operation tries again
}

bool Device::ReconnectAfter(const std::exception& error) noexcept {
  const auto* failed = dynamic_cast<const CommandError*>(&error);
  if (failed == nullptr) return false;
  if (failed->recovery() == Recovery::NoAnswer || failed->recovery() == Recovery::BadAnswer)
    Reconnect();
  return true;
}

void Device::Flush(std::optional<Session>& session) noexcept {
  if (!session) return;
  const TPM2_HANDLE handle = session->handle();
  session.reset();
  Flush(handle);
}

void Device::FlushSessions() noexcept {
  for (std::optional<Session>* session : Sessions()) Flush(*session);
}

void Device::FlushAll() noexcept {
  FlushSessions();
  for (TPM2_HANDLE handle : cache_.RemoveAll()) Flush(handle);
}

bool Device::FlushLeftovers(TPM2_HANDLE first) noexcept try {
  TPMS_CAPABILITY_DATA data{};
  GetCapability(channel(), TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES, data);
  const TPML_HANDLE& left = data.data.handles;
  for (uint32_t i = 0; i < left.count && i < std::size(left.handle); ++i) {
    log::Warn(
        "the TPM is full, and nothing in it is ours: handle 0x", std::hex, left.handle[i],
        " that another process left is flushed; a resource manager (/dev/tpmrm0) avoids that");
    Flush(left.handle[i]);
  }
  return left.count != 0;
} catch (const std::exception& error) {
  ReconnectAfter(error);
  log::Debug("what is left in the TPM could not be listed: ", error.what());
  return false;
}

void Device::Flush(TPM2_HANDLE handle) noexcept {
  if (handle >> TPM2_HR_SHIFT == TPM2_HT_PERSISTENT) return;
  // Once more when it fails: nobody else will do it.
  for (int attempt = 0; attempt < 2 && connection_.IsOpen(); ++attempt) {
    try {
      return FlushContext(channel(), handle);
    } catch (const std::exception& error) {
      log::Debug("a TPM handle could not be given back: ", error.what());
      if (!ReconnectAfter(error)) return;
    }
  }
}

}  // namespace keyscope::tpm::tss
