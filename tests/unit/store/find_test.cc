// Find: its shapes, its order, and that its cost does not grow with the table.
#include <set>

#include "tests/unit/store/fixture.h"

namespace keyscope::store {
namespace {

constexpr int64_t kLabelType = 3;
constexpr int64_t kGroupType = 0x100;

class FindTest : public StoreTest {
 protected:
  FindTest() { store_.InitToken(NewToken()); }

  // Numbered objects: class number % 2, private when divisible by 4, all of one group, labels by
  // number / 2.
  void Fill(int64_t from, int64_t to) {
    std::vector<ObjectRow> rows;
    std::vector<ObjectRow*> pointers;
    for (int64_t n = from; n < to; ++n) {
      ObjectRow& row = rows.emplace_back(NewObject(n));
      row.object_class = n % 2;
      row.is_private = n % 4 == 0;
      row.index.push_back({kLabelType, Tag(n / 2)});
      row.index.push_back({kGroupType, Tag(0)});
    }
    for (ObjectRow& row : rows) pointers.push_back(&row);
    store_.Insert(kEpoch, pointers);
    for (const ObjectRow& row : rows) ids_.push_back(row.id);
  }

  std::vector<int64_t> IdsOf(std::initializer_list<size_t> numbers) const {
    std::vector<int64_t> ids;
    for (size_t number : numbers) ids.push_back(ids_[number]);
    return ids;
  }
  std::vector<int64_t> All(const Query& query) { return store_.Find(query, 0, 1000); }

  std::vector<int64_t> ids_;  // by number, from 0
};

TEST_F(FindTest, Shapes) {
  Fill(0, 8);
  using Row = std::pair<Query, std::vector<int64_t>>;
  const Row rows[] = {
      {{}, IdsOf({1, 2, 3, 5, 6, 7})},
      {{.with_private = true}, IdsOf({0, 1, 2, 3, 4, 5, 6, 7})},
      {{.object_class = 0}, IdsOf({2, 6})},
      {{.object_class = 0, .with_private = true}, IdsOf({0, 2, 4, 6})},
      {{.object_class = 5, .with_private = true}, {}},
      {{.all_of = {{{kIdType, Tag(3)}}}}, IdsOf({3})},
      {{.all_of = {{{kIdType, Tag(4)}}}}, {}},
      {{.all_of = {{{kLabelType, Tag(1)}}}}, IdsOf({2, 3})},
      {{.all_of = {{{kLabelType, Tag(1)}, {kLabelType, Tag(3)}}}}, IdsOf({2, 3, 6, 7})},
      {{.object_class = 1, .all_of = {{{kLabelType, Tag(1)}, {kLabelType, Tag(3)}}}},
       IdsOf({3, 7})},
      {{.all_of = {{{kGroupType, Tag(0)}}, {{kLabelType, Tag(3)}}, {{kIdType, Tag(6)}}}},
       IdsOf({6})},
      {{.all_of = {{{kGroupType, Tag(0)}}, {{kLabelType, Tag(3)}}, {{kIdType, Tag(5)}}}}, {}},
      {{.all_of = {{{kLabelType, Tag(1)}, {kLabelType, Tag(1)}}}}, IdsOf({2, 3})},
      {{.all_of = {{}}}, {}},
      {{.all_of = {{{kLabelType, {}}}}}, {}},
  };
  for (const auto& [query, wanted] : rows) EXPECT_EQ(All(query), wanted) << &query - &rows[0].first;
}

TEST_F(FindTest, ManyMoreAttributesThanSqlTakesTables) {
  Fill(0, 8);
  Query query;
  for (int i = 0; i < 300; ++i)
    query.all_of.push_back({{kGroupType, Tag(0)}, {kGroupType, Tag(1)}});
  query.all_of.push_back({{kIdType, Tag(5)}});
  EXPECT_EQ(All(query), IdsOf({5}));
}

TEST_F(FindTest, StreamsInPiecesAcrossChanges) {
  Fill(0, 40);
  std::vector<int64_t> all;
  int64_t after = 0;
  for (auto some = store_.Find({.with_private = true}, after, 7); !some.empty();
       some = store_.Find({.with_private = true}, after, 7)) {
    EXPECT_LE(some.size(), 7U);
    all.insert(all.end(), some.begin(), some.end());
    after = all.back();
    if (all.size() == 14) store_.Delete(ids_[20]);
  }
  ids_.erase(ids_.begin() + 20);
  EXPECT_EQ(all, ids_);
  EXPECT_TRUE(store_.Find({}, INT64_MAX, 7).empty());
  EXPECT_TRUE(store_.Find({}, 0, 0).empty());
  EXPECT_EQ(store_.Find({.with_private = true}, INT64_MIN, 1), IdsOf({0}));
}

// Counts the instructions that SQLite's virtual machine executes for a call.
int64_t StepsOf(ObjectStore& store, const std::function<void()>& call) {
  static int64_t steps;
  static const auto count = [](void*) { return static_cast<int>(++steps < 0); };
  ConnectionHook hook([](sqlite3* db) { sqlite3_progress_handler(db, 1, count, nullptr); });
  store.LoadToken();  // opens the connection
  steps = 0;
  call();
  return steps;
}

TEST_F(FindTest, CostDoesNotGrowWithTheTable) {
  const Query queries[] = {
      {.all_of = {{{kIdType, Tag(11)}}}},
      {.object_class = 1, .all_of = {{{kIdType, Tag(11)}}}},
      {.object_class = 1,
       .with_private = true,
       .all_of = {{{kIdType, Tag(11)}, {kIdType, Tag(-1)}}}},
      {.all_of = {{{kGroupType, Tag(0)}}, {{kLabelType, Tag(5)}}, {{kIdType, Tag(11)}}}},
      {.object_class = 7, .with_private = true},
      {.object_class = 7, .all_of = {{{kGroupType, Tag(0)}}}},
  };
  auto costs = [&] {
    auto store = Reopen();
    std::vector<int64_t> all;
    for (const Query& query : queries) {
      store = Reopen();
      all.push_back(StepsOf(*store, [&] { store->Find(query, 0, 100); }));
    }
    return all;
  };
  Fill(0, 20);
  const std::vector<int64_t> small = costs();
  Fill(20, 20000);
  const std::vector<int64_t> large = costs();
  for (size_t i = 0; i < small.size(); ++i) {
    EXPECT_GT(small[i], 0);
    EXPECT_LE(large[i], small[i] + small[i] / 2) << "query " << i;
  }
}

// Rows are looked at for the first of them, and lists leapt over for the rest.
TEST_F(FindTest, ManyOfATagAndFewOfAClass) {
  Fill(0, 40);
  std::vector<int64_t> of_class, visible;
  for (size_t n = 0; n < ids_.size(); ++n) {
    if (n % 2 == 1) of_class.push_back(ids_[n]);
    if (n % 4 != 0) visible.push_back(ids_[n]);
  }
  const std::vector<std::vector<IndexEntry>> group{{{kGroupType, Tag(0)}}};
  EXPECT_EQ(All({.object_class = 1, .all_of = group}), of_class);
  EXPECT_EQ(All({.object_class = 1, .with_private = true, .all_of = group}), of_class);
  EXPECT_EQ(All({.all_of = group}), visible);
  EXPECT_EQ(All({.with_private = true, .all_of = group}), ids_);
  EXPECT_EQ(All({.object_class = 7, .all_of = group}), std::vector<int64_t>());
}

TEST_F(FindTest, EveryStatementSearchesAnIndexAndSortsNothing) {
  Fill(0, 8);
  static std::set<std::string> statements;
  statements.clear();
  {
    ConnectionHook hook([](sqlite3* db) {
      auto note = [](unsigned, void*, void* statement, void*) {
        statements.insert(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
        return 0;
      };
      sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note, nullptr);
    });
    auto store = Reopen();
    store->LoadToken();
    statements.clear();
    store->Find({.object_class = 1, .all_of = {{{kIdType, Tag(1)}}}}, 0, 10);
    store->Find({.all_of = {{{kIdType, Tag(1)}, {kIdType, Tag(2)}}}}, 0, 10);
    store->Find({.object_class = 1}, 0, 10);
    store->Find({}, 0, 10);
  }
  int plans = 0;
  for (const std::string& sql : statements) {
    if (sql.find("SELECT") == std::string::npos) continue;
    sqlite3* db = nullptr;
    sqlite3_open(path_.c_str(), &db);
    sqlite3_stmt* plan = nullptr;
    sqlite3_prepare_v2(db, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &plan, nullptr);
    while (sqlite3_step(plan) == SQLITE_ROW) {
      std::string line = reinterpret_cast<const char*>(sqlite3_column_text(plan, 3));
      EXPECT_EQ(line.rfind("SEARCH", 0), 0U) << sql << ": " << line;
      EXPECT_TRUE(line.find("COVERING INDEX") != std::string::npos ||
                  line.find("INTEGER PRIMARY KEY") != std::string::npos)
          << sql << ": " << line;
      ++plans;
    }
    sqlite3_finalize(plan);
    sqlite3_close(db);
  }
  EXPECT_EQ(plans, 4) << "by tag, by class, by privacy, by id";
}

}  // namespace
}  // namespace keyscope::store
