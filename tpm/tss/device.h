// One process's share of the TPM: the connection, the loaded objects, the held sessions, and what
// to do when any of them is lost. One mutex guards it all, and an operation has it to itself from
// beginning to end. Only uses of loaded objects in a burst overlap: two of them, each with a
// session and a channel, and while the TPM works for one the other makes its command ready.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "base/secret.h"
#include "tpm/backend.h"
#include "tpm/tss/commands.h"
#include "tpm/tss/connection.h"
#include "tpm/tss/idle_thread.h"
#include "tpm/tss/key_cache.h"
#include "tpm/tss/rc.h"
#include "tpm/tss/session.h"

namespace keyscope::tpm::tss {

// Whether an operation may be done again after an answer that cannot be believed.
enum class Retry : uint8_t { Always, UnlessAnswered };

// Whether a session outlives its command: into the next second, only when the last such use is less
// than a second old, or not at all.
enum class Hold : uint8_t { Always, InBurst, Never };

class Device {
 public:
  explicit Device(const BackendOptions& options);
  ~Device() { Release({}); }

  bool Present() noexcept;
  // See Backend::Release.
  void Release(ByteView uid) noexcept;

  // Runs `body` with an open connection, and again when what broke it can be put right: the
  // connection or what it held was lost (once), or the TPM had no room. After its last error no
  // session is left behind.
  template <typename Body>
  auto Operate(Body body, Retry retry = Retry::Always);
  // Runs `use(channel, object, auth)` with the loaded object `id`, beside another such use; or
  // where that cannot be, or fails, `body` in Operate.
  template <typename Use, typename Body>
  auto Overlap(ByteView id, ByteView auth_value, Use use, Body body);

  // The rest is for bodies.
  Channel channel() { return Channel(connection_); }
  // The configured authorization of TPM2_RH_OWNER or TPM2_RH_ENDORSEMENT.
  const SecretBytes& AuthOf(TPM2_HANDLE hierarchy) const {
    return hierarchy == TPM2_RH_OWNER ? owner_auth_ : endorsement_auth_;
  }

  // The loaded object `id`, or what `load` loads. The reference holds until the next call.
  template <typename LoadFunction>
  const Object& Loaded(ByteView id, KeyCache::Place place, LoadFunction load);
  // Before a command that takes an object's room while it runs, as TPM2_Create does.
  void MakeRoom() noexcept;

  // The object `id`, if it is loaded, does not stay.
  void Forget(ByteView id) noexcept;
  // The TPM has flushed it by itself.
  void Flushed(ByteView id) noexcept { cache_.Remove(id); }

  // An authorization by the held session, or a new one; salted to `salt_to` when given. To be ended
  // with End when the command has succeeded.
  Auth Begin(const StorageKey* salt_to, ByteView auth_value, Hold hold);
  // The same by a policy session, held likewise. The policy's commands are to be sent for each use.
  Auth BeginPolicy(ByteView auth_value, Hold hold);
  // Beside `first`, for a command's other handle: by another unsalted session, held if that is.
  Auth BeginOther(const Auth& first, ByteView auth_value);
  void End(const Auth& auth);
  void FlushSessions() noexcept;
  void Flush(TPM2_HANDLE handle) noexcept;  // not a persistent one: that stays

 private:
  using Clock = std::chrono::steady_clock;

  // What two uses at a time take: each a session and a channel of its own. Failed: its use has
  // failed, and waits to be alone.
  enum class Lane : uint8_t { Free, Busy, Failed };
  bool NobodyInLanes() const;
  class Turn;

  // Runs `body`, alone. See Operate.
  template <typename Body>
  auto Repeat(Body body, Retry retry);

  // The first ones are the lanes'.
  std::array<std::optional<Session>*, 3> Sessions() {
    return {&session_, &other_session_, &policy_session_};
  }
  bool InBurst() const { return threads_ && Clock::now() - last_burst_use_ < kIdle; }
  bool KeepSession(Hold hold);
  // By the session of a lane, in a burst.
  Auth HeldAuth(size_t number, ByteView auth_value);
  // Makes a session for a second use at a time, if one had to wait and the TPM has room.
  void OpenOther();
  // After success: the session, if one is held, goes after an idle second.
  void Settle() noexcept;
  // After an error: true when `body` is to run again.
  bool Recover(Recovery recovery, Retry retry, bool first_time, unsigned attempt);
  void Reconnect() noexcept;
  // Where the TPM gave no answer, or none to be believed. False: the command was not even sent.
  bool ReconnectAfter(const std::exception& error) noexcept;
  void Flush(std::optional<Session>& session) noexcept;
  void FlushAll() noexcept;
  // The last resort of a TPM without a resource manager, in which no object or session (`first`:
  // the first handle of that kind) is ours any more: what others left there is flushed. They were
  // most likely killed: such a TPM serves one process at a time. True when there was anything.
  bool FlushLeftovers(TPM2_HANDLE first) noexcept;

  // An operation loads a root and an object, and each may meet a full TPM as often as there are
  // objects.
  static constexpr unsigned kMaxAttempts = 16;
  // An operation with two objects may find room for one of them each time.
  static constexpr unsigned kMaxOwnEvictions = 8;

  const SecretBytes owner_auth_, endorsement_auth_;
  const bool threads_;
  std::mutex mutex_;
  std::array<Lane, Connection::kContexts> lanes_{};
  unsigned wait_alone_ = 0;     // threads
  bool wants_other_ = false;    // a use found the only session busy
  bool other_refused_ = false;  // the TPM had no room for a second one
  std::condition_variable alone_, one_ended_;
  Connection connection_;
  KeyCache cache_;
  std::optional<Session> session_, policy_session_, other_session_;
  Clock::time_point last_burst_use_;
  IdleThread idle_;
};

// The mutex, and nobody in a lane; or a lane of one's own, without the mutex.
class Device::Turn {
 public:
  explicit Turn(Device& device);
  // A lane with the loaded object `id`, if that can be.
  Turn(Device& device, ByteView id, ByteView auth_value);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  bool has_lane() const { return number_.has_value(); }
  Channel channel() { return Channel(device_.connection_, *number_); }
  const Object& object() const { return object_; }
  const Auth& auth() const { return auth_; }
  // The mutex as well, while the lane is kept: nobody else meets what made its use fail.
  void BeAlone();

 private:
  std::optional<size_t> FreeLane();

  Device& device_;
  std::unique_lock<std::mutex> lock_;
  std::optional<size_t> number_;
  Object object_;
  Auth auth_;
};

template <typename Body>
auto Device::Operate(Body body, Retry retry) {
  const Turn alone(*this);
  return Repeat(body, retry);
}

template <typename Use, typename Body>
auto Device::Overlap(ByteView id, ByteView auth_value, Use use, Body body) {
  Turn turn(*this, id, auth_value);
  std::exception_ptr failure;
  if (turn.has_lane()) {
    try {
      return use(turn.channel(), turn.object(), turn.auth());
    } catch (...) {
      failure = std::current_exception();
      turn.BeAlone();
    }
  }
  return Repeat(
      [&] {
        if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
        return body();
      },
      Retry::Always);
}

template <typename Body>
auto Device::Repeat(Body body, Retry retry) {
  bool first_time = true;
  for (unsigned attempt = 1;; ++attempt) {
    try {
      connection_.Open();
      if constexpr (std::is_void_v<decltype(body())>) {
        body();
        return Settle();
      } else {
        auto result = body();
        Settle();
        return result;
      }
    } catch (const CommandError& error) {
      if (!Recover(error.recovery(), retry, first_time, attempt) || attempt == kMaxAttempts) throw;
      if (error.recovery() != Recovery::NoRoom && error.recovery() != Recovery::NoSession)
        first_time = false;
    } catch (...) {
      FlushSessions();
      throw;
    }
  }
}

template <typename LoadFunction>
const Object& Device::Loaded(ByteView id, KeyCache::Place place, LoadFunction load) {
  if (const Object* found = cache_.Find(id)) return *found;
  MakeRoom();
  return cache_.Add(id, load(), place);
}

}  // namespace keyscope::tpm::tss
