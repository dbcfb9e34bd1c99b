// Threads that wait to do the same thing together, so that starting them is not measured.
#pragma once

#include <barrier>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace keyscope::bench {

class Team {
 public:
  // `work` is told which one does it, from 0.
  Team(size_t size, std::function<void(size_t)> work)
      : work_(std::move(work)), turn_(static_cast<std::ptrdiff_t>(size) + 1), failed_(size) {
    for (size_t i = 0; i < size; ++i) threads_.emplace_back([this, i] { Run(i); });
  }
  ~Team() {
    over_ = true;
    turn_.arrive_and_wait();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Each does it once; throws what the first of them threw.
  void Once() {
    turn_.arrive_and_wait();
    turn_.arrive_and_wait();
    for (std::exception_ptr& failure : failed_)
      if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
  }

 private:
  void Run(size_t number) {
    for (;;) {
      turn_.arrive_and_wait();
      if (over_) return;
      try {
        work_(number);
      } catch (...) {
        failed_[number] = std::current_exception();
      }
      turn_.arrive_and_wait();
    }
  }

  const std::function<void(size_t)> work_;
  std::barrier<> turn_;  // begins and ends
  bool over_ = false;
  std::vector<std::exception_ptr> failed_;
  std::vector<std::jthread> threads_;
};

}  // namespace keyscope::bench
