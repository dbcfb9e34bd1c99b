// Calls back once nothing has happened for a second. The thread lives only while something is
// awaited, takes no signals, and is joined by Stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace keyscope::tpm::tss {

inline constexpr std::chrono::seconds kIdle{1};

class IdleThread {
 public:
  // `on_idle` is called with `mutex` held, which guards everything here.
  IdleThread(std::mutex& mutex, std::function<void()> on_idle)
      : mutex_(mutex), on_idle_(std::move(on_idle)) {}

  // With the mutex held: counts the idle second from now. Throws std::system_error for want of a
  // thread.
  void Arm();
  // Without the mutex: no call back any more.
  void Stop();

 private:
  void Run(const std::stop_token& stop);

  std::mutex& mutex_;
  const std::function<void()> on_idle_;
  std::condition_variable_any wake_;
  std::chrono::steady_clock::time_point deadline_;
  bool running_ = false;
  std::jthread thread_;
};

}  // namespace keyscope::tpm::tss
