#include "tpm/tss/idle_thread.h"

#include <csignal>

namespace keyscope::tpm::tss {

void IdleThread::Arm() {
  deadline_ = std::chrono::steady_clock::now() + kIdle;
  if (running_) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    // A former thread has nothing left to do but to end: assigning joins it.
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
    running_ = true;
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void IdleThread::Stop() {
  std::jthread ending;  // joined without the mutex, which the thread needs to end
  std::lock_guard lock(mutex_);
  thread_.request_stop();
  running_ = false;
  ending = std::move(thread_);
}

void IdleThread::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && std::chrono::steady_clock::now() < deadline_) {
    const auto until = deadline_;  // the wait reads it without the mutex
    wake_.wait_until(lock, stop, until, [] { return false; });
  }
  if (stop.stop_requested()) return;
  on_idle_();
  running_ = false;
}

}  // namespace keyscope::tpm::tss
