// Several threads and connections on one store.
#include <chrono>
#include <thread>

#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST_F(StoreTest, ThreadsShareAStore) {
  store_.InitToken(NewToken());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 20; ++i) {
        int64_t id = Add(store_, NewObject(thread * 100 + i));
        EXPECT_TRUE(store_.Load(id));
        EXPECT_TRUE(store_.Change(id, [](ObjectRow& row) { row.body.push_back(1); }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_.Count(), 80);
}

TEST_F(StoreTest, LockOfAnotherIsWaitedForAndThenBusy) {
  store_.InitToken(NewToken());
  sqlite3* other = nullptr;
  sqlite3_open(path_.c_str(), &other);
  auto hold = [&] { sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr); };
  auto release = [&] { sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr); };

  hold();
  std::thread soon([&] {
    std::this_thread::sleep_for(milliseconds(300));
    release();
  });
  EXPECT_NO_THROW(Add(store_, NewObject(1)));
  soon.join();

  hold();
  auto start = steady_clock::now();
  EXPECT_FAULT(Fault::Busy, Add(store_, NewObject(2)));
  EXPECT_GE(steady_clock::now() - start, std::chrono::seconds(14));
  release();
  sqlite3_close(other);
  EXPECT_NO_THROW(Add(store_, NewObject(2)));
}

}  // namespace
}  // namespace keyscope::store
