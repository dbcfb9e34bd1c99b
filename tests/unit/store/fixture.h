// What the store's tests share: a store in a folder of its own, and ways to reach behind it.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/object_store.h"

namespace keyscope::store {

// 0700, removed afterwards.
struct TemporaryFolder {
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string name;
};

class StoreTest : public testing::Test {
 protected:
  StoreTest();

  // The store as another process or a later one would open it.
  std::unique_ptr<ObjectStore> Reopen(KeyScope scope = KeyScope::User) const {
    return std::make_unique<ObjectStore>(path_, scope);
  }

  const TemporaryFolder made_;  // removed when the store is closed
  const std::string folder_ = made_.name;
  std::string path_;  // of the store; nothing is there yet
  ObjectStore store_;
};

inline const Bytes kEpoch(16, 0xE0);
TokenRow NewToken(Bytes epoch = kEpoch);
// An object that `number` tells from others: uid, body and one index entry {kIdType, number}.
inline constexpr int64_t kIdType = 0x102;
Bytes Tag(int64_t number);
ObjectRow NewObject(int64_t number);
int64_t Add(ObjectStore& store, ObjectRow row);  // its id

// Runs SQL on the file, past the store and without constraint checks; the first number of its
// result.
int64_t Sql(const std::string& path, const std::string& sql);
std::string Read(const std::string& path);
void Write(const std::string& path, const std::string& content);

// The Fault that `call` throws (none: the test fails), and its text.
struct Thrown {
  Fault fault;
  std::string text;
};
Thrown Catch(const std::function<void()>& call);
#define EXPECT_FAULT(wanted, call) EXPECT_EQ(Name(Catch([&] { call; }).fault), Name(wanted))

// While it lives, calls `opened` with each SQLite connection that this process opens.
class ConnectionHook {
 public:
  explicit ConnectionHook(std::function<void(sqlite3*)> opened);
  ~ConnectionHook();
  ConnectionHook(const ConnectionHook&) = delete;
  ConnectionHook& operator=(const ConnectionHook&) = delete;
};

// POSIX only.
mode_t ModeOf(const std::string& path);
// Runs `body` in a child process, which exits with its result, or 99 for an exception.
pid_t StartChild(const std::function<int()>& body);
// Waits for it: its exit status, or 128 + the signal that ended it.
int ExitOf(pid_t child);
// Both.
int InChild(const std::function<int()>& body);
// The same as an ordinary user who owns the folder, also when the tests run as root.
int InChildAsOwner(const std::string& folder, const std::function<int()>& body);

}  // namespace keyscope::store
