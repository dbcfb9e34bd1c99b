// Several processes on one store: nothing acknowledged is lost, nothing is half there.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>
#include <utility>

#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

using std::chrono::milliseconds;

TEST_F(StoreTest, TwoProcessesWriteWithoutLoss) {
  store_.InitToken(NewToken());
  std::vector<pid_t> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.push_back(StartChild([&] {
      auto store = Reopen();
      for (int i = 0; i < 100; ++i) Add(*store, NewObject(writer * 1000 + i));
      return 0;
    }));
  }
  for (pid_t writer : writers) EXPECT_EQ(ExitOf(writer), 0);
  EXPECT_EQ(store_.Count(), 200);
  std::set<Bytes> uids;
  for (int64_t id : store_.Find({}, 0, 1000)) uids.insert(store_.Load(id)->uid);
  EXPECT_EQ(uids.size(), 200U);
}

TEST_F(StoreTest, ProcessesThatInitializeAtOnceLeaveOneWholeStore) {
  for (int round = 0; round < 5; ++round) {
    std::filesystem::remove(path_);
    std::vector<pid_t> makers;
    for (int maker = 0; maker < 4; ++maker) {
      makers.push_back(StartChild([&] {
        Reopen()->InitToken(NewToken(Bytes(16, static_cast<uint8_t>(maker))));
        return 0;
      }));
    }
    for (pid_t maker : makers) EXPECT_EQ(ExitOf(maker), 0);
    EXPECT_TRUE(store_.LoadToken());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  }
}

TEST_F(StoreTest, AVersionIsNewAfterEachWriteByAnybody) {
  store_.InitToken(NewToken());
  const auto other = Reopen();
  Version last = store_.CurrentVersion();
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(store_.CurrentVersion(), last);
    if (i < 4)
      Add(i % 2 == 0 ? store_ : *other, NewObject(i));
    else
      EXPECT_EQ(InChild([&] { return Add(*Reopen(), NewObject(i)) > 0 ? 0 : 1; }), 0);
    EXPECT_NE(std::exchange(last, store_.CurrentVersion()), store_.CurrentVersion()) << i;
  }
}

// A writer that is killed when it has counted its commit in the file, but has not completed it.
TEST_F(StoreTest, ACommitThatIsRolledBackIsNotTakenForTheNextOne) {
  store_.InitToken(NewToken());
  store_.CurrentVersion();
  const auto count = [&] { return Read(path_).substr(24, 4); };
  const std::string before = count();
  EXPECT_EQ(InChild([&]() -> int {
              sqlite3* writer = nullptr;
              const bool dirty =
                  sqlite3_open(path_.c_str(), &writer) == SQLITE_OK &&
                  sqlite3_exec(writer,
                               "BEGIN IMMEDIATE; PRAGMA application_id = 1; DELETE FROM token",
                               nullptr, nullptr, nullptr) == SQLITE_OK &&
                  sqlite3_db_cacheflush(writer) == SQLITE_OK;
              std::string content = Read(path_);
              ++content[27];
              Write(path_, content);
              _exit(dirty ? 0 : 1);
            }),
            0);
  EXPECT_NE(count(), before);
  const Version rolled_back = store_.CurrentVersion();
  EXPECT_EQ(count(), before);
  EXPECT_TRUE(store_.LoadToken());
  Add(*Reopen(), NewObject(1));
  EXPECT_NE(store_.CurrentVersion(), rolled_back);
}

TEST_F(StoreTest, KilledWriterLosesNothingAcknowledged) {
  store_.InitToken(NewToken());
  int next = 0;
  for (int round = 0; round < 10; ++round) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
      auto store = Reopen();
      for (int i = next;; ++i) {
        ObjectRow first = NewObject(2 * i), second = NewObject(2 * i + 1);
        store->Insert(kEpoch, {&first, &second});
        [[maybe_unused]] ssize_t told = write(pipes[1], &i, sizeof i);
      }
    }
    close(pipes[1]);
    pollfd first{pipes[0], POLLIN, 0};
    EXPECT_EQ(poll(&first, 1, 60'000), 1) << "a slow disk";
    std::this_thread::sleep_for(milliseconds(15 + 7 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    int acknowledged = next - 1;
    while (read(pipes[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) continue;
    close(pipes[0]);

    auto store = Reopen();
    auto there = [&](int number) {
      return store->Find({.all_of = {{{kIdType, Tag(number)}}}}, 0, 10).size();
    };
    for (int i = 0; i <= acknowledged; ++i) {
      EXPECT_EQ(there(2 * i), 1U);
      EXPECT_EQ(there(2 * i + 1), 1U);
    }
    // The one in flight: a whole pair or none.
    size_t in_flight = there(2 * acknowledged + 2);
    EXPECT_EQ(there(2 * acknowledged + 3), in_flight);
    next = acknowledged + 1 + static_cast<int>(in_flight);
    EXPECT_EQ(store->Count(), 2 * next);
  }
  EXPECT_GT(next, 0);
}

TEST_F(StoreTest, ChildAfterForkOpensItsOwnConnection) {
  store_.InitToken(NewToken());
  Add(store_, NewObject(1));
  std::thread busy([this] {
    for (int i = 0; i < 50; ++i) store_.Count();
  });
  store_.LockForFork();
  pid_t child = fork();
  store_.UnlockAfterFork();
  if (child == 0) {
    try {
      const auto own = Reopen();
      Add(*own, NewObject(2));
      _exit(own->Count() == 2 ? 0 : 1);
    } catch (...) {
      _exit(2);
    }
  }
  busy.join();
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(store_.Count(), 2);
  EXPECT_NO_THROW(Add(store_, NewObject(3)));
}

}  // namespace
}  // namespace keyscope::store
