// Keys under names come and go with their rows: whatever fails on the way, and wherever the process
// dies.
#include <windows.h>

#include <fstream>
#include <sstream>

#include "tests/ncrypt/ncrypt_fixture.h"

namespace keyscope::test {
namespace {

constexpr char kFailed[] = "80090020";  // NTE_FAIL
constexpr char kChildVariable[] = "KEYSCOPE_TEST_CHILD";

class OfASlot : public Ncrypt, public testing::WithParamInterface<CK_SLOT_ID> {
 protected:
  const CK_SLOT_ID slot = GetParam();
};
INSTANTIATE_TEST_SUITE_P(Slots, OfASlot, testing::ValuesIn(kSlots), NameOfSlot);

TEST_F(Ncrypt, AFailedFinalizeLeavesNothing) {
  for (CK_SLOT_ID slot : kSlots) {
    Pair pair;
    device.Fail(std::string("NCryptFinalizeKey:1:") + kFailed);
    EXPECT_NE(slots->TryMake(slot, false, {}, pair), CKR_OK);
    device.Fail({});
    EXPECT_EQ(Rows(slot), 0);
    EXPECT_EQ(Files(slot), 0);
    EXPECT_EQ(Notes(slot), 0);
  }
}

// After NCryptFinalizeKey the key is there: what fails then takes it away again.
TEST_P(OfASlot, WhateverCallOfAMakingFails) {
  int calls = 1;
  for (bool reached = true; reached; ++calls) {
    ASSERT_LT(calls, 40);
    device.Fail("*:" + std::to_string(calls) + ":" + kFailed);
    Pair pair;
    const CK_RV rv = slots->TryMake(slot, false, {}, pair);
    device.Fail({});
    reached = rv != CKR_OK;
    if (!reached) EXPECT_TRUE(slots->Works(slot, pair));
    slots->LoginAgain(slot);
    EXPECT_EQ(Notes(slot), 0) << calls;
    EXPECT_EQ(Files(slot), reached ? 0 : 1) << calls;
    EXPECT_EQ(NamedRows(slot), reached ? 0 : 1) << calls;
  }
  EXPECT_GT(calls, 6);
}

TEST_F(Ncrypt, ADeleteThatFailsIsNotedAndTriedAgain) {
  for (CK_SLOT_ID slot : kSlots) {
    const Pair pair = slots->Make(slot);
    device.Fail(std::string("NCryptDeleteKey:1:") + kFailed);
    EXPECT_EQ(C_DestroyObject(slots->In(slot), pair.private_key), CKR_KEYSCOPE_PARTIAL_DELETE);
    EXPECT_EQ(C_DestroyObject(slots->In(slot), pair.private_key), CKR_OBJECT_HANDLE_INVALID);
    EXPECT_EQ(NamedRows(slot), 0);
    EXPECT_EQ(Notes(slot), 1);
    EXPECT_EQ(Files(slot), 1);
    device.Fail({});
    slots->LoginAgain(slot);
    EXPECT_EQ(Notes(slot), 0);
    EXPECT_EQ(Files(slot), 0);
  }
}

TEST_F(Ncrypt, WhatIsNotThereIsDeleted) {
  const Pair pair = slots->Make(kUserSlot);
  for (const auto& file : device.KeyFiles(KeyScope::User)) std::filesystem::remove(file);
  EXPECT_EQ(C_DestroyObject(slots->In(kUserSlot), pair.private_key), CKR_OK);
  EXPECT_EQ(Notes(kUserSlot), 0);
}

// The key of another program that has the name is left alone.
TEST_F(Ncrypt, ANameThatIsTakenIsGivenUp) {
  device.Fail("NCryptCreatePersistedKey:1:8009000F");
  const Pair pair = slots->Make(kUserSlot);
  device.Fail({});
  EXPECT_TRUE(slots->Works(kUserSlot, pair));
  EXPECT_EQ(Files(kUserSlot), 1);
  EXPECT_EQ(Notes(kUserSlot), 0);
  for (const std::string& call : device.TakeCalls())
    EXPECT_EQ(call.find("NCryptDeleteKey"), std::string::npos) << call;
}

TEST_P(OfASlot, OneCorruptKeyFileDoesNotHideTheOthers) {
  std::vector<Pair> pairs;
  for (int i = 0; i < 4; ++i) {
    const auto before = device.KeyFiles(kScopeOf[slot]);
    pairs.push_back(slots->Make(slot));
    if (i != 2) continue;
    for (const auto& file : device.KeyFiles(kScopeOf[slot]))
      if (std::find(before.begin(), before.end(), file) == before.end())
        std::ofstream(file, std::ios::trunc) << "damaged";
  }
  Restart();
  EXPECT_EQ(slots->Find(slot, {{CKA_CLASS, CKO_PRIVATE_KEY}}).size(), 4U);
  for (size_t i = 0; i < pairs.size(); ++i) EXPECT_EQ(slots->Works(slot, pairs[i]), i != 2) << i;
  EXPECT_EQ(C_DestroyObject(slots->In(slot), pairs[2].private_key), CKR_OK);
  EXPECT_EQ(Notes(slot), 0);
  EXPECT_EQ(slots->Find(slot, {{CKA_CLASS, CKO_PRIVATE_KEY}}).size(), 3U);
}

TEST_F(Ncrypt, AClearedTpmIsTold) {
  const Pair pair = slots->Make(kUserSlot);
  slots.reset();
  device.ClearTpm();
  EXPECT_THROW(slots.emplace(folder()), std::runtime_error) << "the PIN cannot be checked";
  C_Finalize(nullptr);
  Slots::InitTokens(folder());
  slots.emplace(folder());
  EXPECT_TRUE(slots->Works(kUserSlot, slots->Make(kUserSlot)));
}

// --- The process dies ---

// This program again, to do `what` in the slot and to die after its n-th call of the provider.
// True: it lived, as it made fewer.
bool Lives(const std::string& what, CK_SLOT_ID slot, int calls) {
  SetVariable(kChildVariable, what + " " + std::to_string(slot) + " " + std::to_string(calls));
  wchar_t self[MAX_PATH];
  GetModuleFileNameW(nullptr, self, MAX_PATH);
  STARTUPINFOW start{};
  start.cb = sizeof start;
  PROCESS_INFORMATION process{};
  const BOOL started =
      CreateProcessW(self, nullptr, nullptr, nullptr, FALSE, 0, nullptr, nullptr, &start, &process);
  SetVariable(kChildVariable, {});
  if (started == 0) throw std::runtime_error("no child");
  WaitForSingleObject(process.hProcess, INFINITE);
  DWORD code = 1;
  GetExitCodeProcess(process.hProcess, &code);
  CloseHandle(process.hProcess);
  CloseHandle(process.hThread);
  EXPECT_TRUE(code == 0 || code == 9) << code;
  return code == 0;
}

class Dying : public OfASlot {
 protected:
  // Each key in the provider has a row or a note, and each row its key.
  void ExpectNothingLost() {
    EXPECT_LE(Files(slot), NamedRows(slot) + Notes(slot));
    EXPECT_GE(Files(slot), NamedRows(slot));
  }
};

INSTANTIATE_TEST_SUITE_P(Slots, Dying, testing::ValuesIn(kSlots), NameOfSlot);

TEST_P(Dying, WhileMakingAKey) {
  slots.reset();
  bool lived = false;
  int calls = 1;
  for (; !lived; ++calls) {
    SCOPED_TRACE(calls);
    ASSERT_LT(calls, 40);
    lived = Lives("make", slot, calls);
    ExpectNothingLost();
    slots.emplace(folder());  // its login works off what is noted
    EXPECT_EQ(Notes(slot), 0);
    EXPECT_EQ(Files(slot), lived ? 1 : 0);
    EXPECT_EQ(NamedRows(slot), lived ? 1 : 0);
    slots.reset();
  }
  EXPECT_GT(calls, 5);
}

TEST_P(Dying, WhileDestroyingAKey) {
  bool lived = false;
  int calls = 1;
  for (; !lived; ++calls) {
    SCOPED_TRACE(calls);
    ASSERT_LT(calls, 20);
    if (!slots) slots.emplace(folder());
    if (Files(slot) == 0) slots->Make(slot);
    slots.reset();
    lived = Lives("destroy", slot, calls);
    ExpectNothingLost();
    slots.emplace(folder());
    EXPECT_EQ(Notes(slot), 0);
    EXPECT_EQ(Files(slot), NamedRows(slot));
  }
  EXPECT_GT(calls, 2);
  EXPECT_EQ(Files(slot), 0);
}

}  // namespace

// What a child does.
int RunChild(const std::string& order) {
  std::istringstream words(order);
  std::string what, calls;
  CK_SLOT_ID slot = 0;
  words >> what >> slot >> calls;
  Slots slots(std::getenv("KEYSCOPE_DOUBLE_DIR"));
  const auto keys = slots.Find(slot, {{CKA_CLASS, CKO_PRIVATE_KEY}});
  SetVariable("KEYSCOPE_DOUBLE_FAULT", "*:" + calls + ":die-after");
  Pair pair;
  const CK_RV rv = what == "make" ? slots.TryMake(slot, false, {}, pair)
                                  : C_DestroyObject(slots.In(slot), keys.front());
  SetVariable("KEYSCOPE_DOUBLE_FAULT", {});
  return rv == CKR_OK ? 0 : 2;
}

}  // namespace keyscope::test

int main(int count, char** arguments) {
  if (const char* what = std::getenv("KEYSCOPE_TEST_CHILD")) return keyscope::test::RunChild(what);
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
