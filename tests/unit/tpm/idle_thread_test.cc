#include "tpm/tss/idle_thread.h"

#include <gtest/gtest.h>

namespace keyscope::tpm::tss {
namespace {

using std::chrono::milliseconds;

class IdleThreadTest : public testing::Test {
 protected:
  void Arm() {
    std::lock_guard lock(mutex);
    idle.Arm();
  }
  int Calls() {
    std::lock_guard lock(mutex);
    return calls;
  }

  std::mutex mutex;
  int calls = 0;
  IdleThread idle{mutex, [this] { ++calls; }};
};

TEST_F(IdleThreadTest, CallsOnceAnIdleSecondAfterTheLastArm) {
  Arm();
  std::this_thread::sleep_for(milliseconds(600));
  Arm();
  std::this_thread::sleep_for(milliseconds(600));
  EXPECT_EQ(Calls(), 0);
  std::this_thread::sleep_for(milliseconds(900));
  EXPECT_EQ(Calls(), 1);
  Arm();  // a second thread
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_EQ(Calls(), 2);
  idle.Stop();
}

TEST_F(IdleThreadTest, StopIsPromptAndFinal) {
  idle.Stop();
  for (int i = 0; i < 50; ++i) {
    Arm();
    idle.Stop();
  }
  std::this_thread::sleep_for(milliseconds(1200));
  EXPECT_EQ(Calls(), 0);
}

TEST_F(IdleThreadTest, ManyThreadsArmAndStop) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        Arm();
        if (i % 5 == 0) idle.Stop();
      }
    });
  threads.clear();
  idle.Stop();
  EXPECT_EQ(Calls(), 0);
}

}  // namespace
}  // namespace keyscope::tpm::tss
