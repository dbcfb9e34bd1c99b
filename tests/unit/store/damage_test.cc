// Damaged files: any byte may be wrong, and the answer is a Fault or data, never a crash.
#include <random>

#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

class DamageTest : public StoreTest {
 protected:
  DamageTest() {
    store_.InitToken(NewToken());
    std::vector<ObjectRow> rows;
    std::vector<ObjectRow*> pointers;
    for (int i = 0; i < 30; ++i) {
      rows.push_back(NewObject(i));
      rows.back().material = KeyMaterialRow{Bytes(40, 1), Bytes(300, 2), Bytes(48, 3)};
    }
    rows[7].body.resize(20000);  // overflow pages
    for (ObjectRow& row : rows) pointers.push_back(&row);
    store_.Insert(kEpoch, pointers);
    store_.NotePendingErase({.uid = Bytes(16, 1), .reason = "r"});
    good_ = Read(path_);
  }

  // Every call on a store of that content. The number of Faults.
  int Exercise(const std::string& content) {
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + "-journal");
    Write(path_, content);
    std::filesystem::permissions(path_, std::filesystem::perms(0600));
    auto store = Reopen();
    const std::function<void()> calls[] = {
        [&] { store->LoadToken(); },
        [&] { store->Find({.with_private = true}, 0, 100); },
        [&] {
          store->Find({.object_class = 3, .all_of = {{{kIdType, Tag(5)}}}}, 0, 100);
        },
        [&] { store->PendingErases(); },
        [&] { store->Count(); },
        [&] { Add(*store, NewObject(1000)); },
        [&] { store->Change(3, [](ObjectRow& row) { row.body.assign(3000, 9); }); },
        [&] { store->Delete(4); },
        [&] { store->InitToken(NewToken()); },
    };
    int faults = 0;
    auto count = [&](const std::function<void()>& call) {
      try {
        call();
      } catch (const Error& error) {
        EXPECT_TRUE(std::holds_alternative<Fault>(error.cause()));
        EXPECT_FALSE(error.Is(Fault::Busy)) << error.what();
        ++faults;
      }
    };
    for (int64_t id = 1; id <= 30; ++id) count([&] { store->Load(id); });
    for (const auto& call : calls) count(call);
    return faults;
  }

  std::string good_;
};

TEST_F(DamageTest, UndamagedStoreHasNoFaults) { EXPECT_EQ(Exercise(good_), 0); }

TEST_F(DamageTest, FlippedBytesOverTheWholeFile) {
  std::mt19937 random(1);
  int damaged = 0;
  // The structures are at the start of each page; the rest is sampled.
  for (size_t at = 0; at < good_.size(); at += at % 4096 < 40 ? 5 : 811) {
    std::string bad = good_;
    bad[at] = static_cast<char>(bad[at] ^ static_cast<char>(1 + random() % 255));
    damaged += Exercise(bad) > 0;
  }
  EXPECT_GT(damaged, 10);
}

TEST_F(DamageTest, CutOffAndOverwrittenFiles) {
  std::mt19937 random(2);
  int damaged = 0;
  for (size_t size = 1; size < good_.size(); size += 2048)
    damaged += Exercise(good_.substr(0, size)) > 0;
  for (size_t page = 4096; page < good_.size(); page += 4096) {
    std::string bad = good_;
    for (size_t i = 0; i < 4096; ++i) bad[page + i] = static_cast<char>(random());
    damaged += Exercise(bad) > 0;
  }
  EXPECT_GT(damaged, 10);
}

}  // namespace
}  // namespace keyscope::store
