// That work does not grow with the store, counted in steps of SQLite's virtual machine.
#include <sqlite3.h>

#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

constexpr int kFew = 8, kMany = 400;

int64_t steps = 0;

int CountStep(void* /*context*/) { return static_cast<int>(++steps < 0); }
int OnOpen(sqlite3* connection, char** /*error*/, const void* /*api*/) {
  sqlite3_progress_handler(connection, 1, CountStep, nullptr);
  return SQLITE_OK;
}
int64_t StepsOf(const std::function<void()>& work) {
  steps = 0;
  work();
  return steps;
}

class Scale : public Module {
 protected:
  void SetUp() override {
    Module::SetUp();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(OnOpen));
    Restart();
  }
  void TearDown() override {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(OnOpen));
    Module::TearDown();
  }
  void Restart() {
    ASSERT_OK(C_Finalize(nullptr));
    ASSERT_OK(C_Initialize(nullptr));
    session_ = OpenLoggedIn();
  }
  void FillTo(int count) {
    for (; objects_ < count; ++objects_)
      ImportSecret(session_, Pattern(16),
                   {{CKA_TOKEN, true},
                    {CKA_PRIVATE, objects_ % 2 == 1},
                    {CKA_ID, "id " + std::to_string(objects_)},
                    {CKA_LABEL, "label " + std::to_string(objects_)}});
  }
  int64_t CostOfFinding(const Attributes& wanted) {
    Restart();
    return StepsOf([&] { EXPECT_EQ(Find(session_, wanted).size(), 1U); });
  }
  // Of work that goes for some of the few first objects.
  std::vector<int64_t> Costs() {
    std::vector<int64_t> costs{StepsOf([&] { Restart(); })};
    const Attributes secret{{CKA_CLASS, CKO_SECRET_KEY}};
    for (const char* number : {"2", "3"}) {  // a public one, a private one
      const Attributes id{{CKA_ID, std::string("id ") + number}},
          label{{CKA_LABEL, std::string("label ") + number}};
      for (const Attributes& wanted : {id, label, secret.With(id), secret.With(label)})
        costs.push_back(CostOfFinding(wanted));
    }
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    costs.push_back(StepsOf([&] {
      made = ImportSecret(session_, Pattern(16), {{CKA_TOKEN, true}});
    }));
    costs.push_back(StepsOf([&] { EXPECT_OK(C_DestroyObject(session_, made)); }));
    return costs;
  }
  // The number of objects found, at most `at_once` with each call.
  size_t Enumerate(CK_ULONG at_once) {
    std::vector<CK_OBJECT_HANDLE> some(at_once);
    CK_ULONG count = 0;
    size_t all = 0;
    EXPECT_OK(C_FindObjectsInit(session_, nullptr, 0));
    do {
      EXPECT_OK(C_FindObjects(session_, some.data(), at_once, &count));
      all += count;
    } while (count != 0);
    EXPECT_OK(C_FindObjectsFinal(session_));
    return all;
  }

  // One at a time, and many.
  std::vector<int64_t> CostsOfAll() {
    std::vector<int64_t> costs;
    for (CK_ULONG at_once : {1UL, 64UL})
      costs.push_back(
          StepsOf([&] { EXPECT_EQ(Enumerate(at_once), static_cast<size_t>(objects_)); }));
    return costs;
  }

  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  int objects_ = 0;
};

TEST_F(Scale, ManyObjectsCostNoMoreThanFew) {
  FillTo(kFew);
  const std::vector<int64_t> few = Costs();
  const std::vector<int64_t> few_all = CostsOfAll();
  FillTo(kMany);
  const std::vector<int64_t> many = Costs();
  for (size_t i = 0; i < few.size(); ++i) {
    EXPECT_GT(few[i], 0) << i;
    EXPECT_LE(many[i], few[i] + few[i] / 10) << i;
  }
  const std::vector<int64_t> many_all = CostsOfAll();
  for (size_t i = 0; i < few_all.size(); ++i)
    EXPECT_LE(many_all[i] / kMany, few_all[i] / kFew) << i << ": linear";
  EXPECT_LT(many_all[1], many_all[0]) << "rows are read in one transaction a call";
}

}  // namespace
}  // namespace keyscope::test
