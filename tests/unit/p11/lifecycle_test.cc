// C_Initialize and C_Finalize: arguments, threads, the application's mutex.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/unit/p11/environment.h"

namespace keyscope::p11 {
namespace {

using test::Initialized;
using test::WithoutTpm;

struct Calls {
  std::atomic<int> created{0}, destroyed{0}, locked{0}, unlocked{0};
  CK_RV answer_to_create = CKR_OK;
} calls;

CK_RV Create(CK_VOID_PTR_PTR mutex) {
  if (calls.answer_to_create != CKR_OK) return calls.answer_to_create;
  ++calls.created;
  *mutex = &calls;
  return CKR_OK;
}
CK_RV Destroy(CK_VOID_PTR mutex) {
  ++calls.destroyed;
  return mutex == &calls ? CKR_OK : CKR_MUTEX_BAD;
}
CK_RV LockIt(CK_VOID_PTR mutex) {
  ++calls.locked;
  return mutex == &calls ? CKR_OK : CKR_MUTEX_BAD;
}
CK_RV UnlockIt(CK_VOID_PTR mutex) {
  ++calls.unlocked;
  return mutex == &calls ? CKR_OK : CKR_MUTEX_BAD;
}

class ApplicationMutex : public WithoutTpm {
 protected:
  ApplicationMutex() {
    calls.created = calls.destroyed = calls.locked = calls.unlocked = 0;
    calls.answer_to_create = CKR_OK;
  }
};

TEST_F(WithoutTpm, OneOfEightThreadsInitializes) {
  std::vector<CK_RV> answers(8);
  {
    std::vector<std::jthread> threads;
    for (CK_RV& answer : answers) threads.emplace_back([&] { answer = C_Initialize(nullptr); });
  }
  EXPECT_EQ(std::ranges::count(answers, CKR_OK), 1);
  EXPECT_EQ(std::ranges::count(answers, CKR_CRYPTOKI_ALREADY_INITIALIZED), 7);
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
}

TEST_F(WithoutTpm, ArgumentsOfInitializeAreChecked) {
  int something = 0;
  InitializeArgs reserved{};
  reserved.pReserved = &something;
  EXPECT_EQ(C_Initialize(&reserved), CKR_ARGUMENTS_BAD);
  InitializeArgs some{Create, Destroy, LockIt, nullptr, CKF_OS_LOCKING_OK, nullptr};
  EXPECT_EQ(C_Initialize(&some), CKR_ARGUMENTS_BAD);
  InitializeArgs neither{};
  EXPECT_EQ(C_Initialize(&neither), CKR_OK);
  EXPECT_EQ(C_Finalize(&something), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(C_Finalize(nullptr), CKR_CRYPTOKI_NOT_INITIALIZED);
  EXPECT_EQ(C_Finalize(&something), CKR_CRYPTOKI_NOT_INITIALIZED);
}

TEST_F(ApplicationMutex, IsHeldInEveryCall) {
  InitializeArgs args{Create, Destroy, LockIt, UnlockIt, 0, nullptr};
  ASSERT_EQ(C_Initialize(&args), CKR_OK);
  EXPECT_EQ(calls.created, 1);
  CK_INFO info{};
  C_GetInfo(&info);
  C_CloseSession(1);
  EXPECT_EQ(calls.locked, 2);
  EXPECT_EQ(calls.unlocked, 2);
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(calls.destroyed, 1);
}

TEST_F(ApplicationMutex, StaysUnusedWhereOsLockingIsAllowed) {
  InitializeArgs args{Create, Destroy, LockIt, UnlockIt, CKF_OS_LOCKING_OK, nullptr};
  ASSERT_EQ(C_Initialize(&args), CKR_OK);
  EXPECT_EQ(calls.created, 0);
  C_Finalize(nullptr);
}

TEST_F(ApplicationMutex, WhatCreateMutexAnswersIsPassedOn) {
  calls.answer_to_create = CKR_HOST_MEMORY;
  InitializeArgs args{Create, Destroy, LockIt, UnlockIt, 0, nullptr};
  EXPECT_EQ(C_Initialize(&args), CKR_HOST_MEMORY);
  EXPECT_EQ(C_Finalize(nullptr), CKR_CRYPTOKI_NOT_INITIALIZED);
}

TEST_F(Initialized, WaitForSlotEventDoesNotBlockWhenAsked) {
  CK_SLOT_ID slot = 0;
  EXPECT_EQ(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_NO_EVENT);
}

TEST_F(Initialized, FinalizeEndsABlockedWait) {
  std::atomic<bool> ended = false;
  std::jthread waiter([&] {
    CK_SLOT_ID slot = 0;
    EXPECT_EQ(C_WaitForSlotEvent(0, &slot, nullptr), CKR_CRYPTOKI_NOT_INITIALIZED);
    ended = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(ended);
  EXPECT_EQ(C_Finalize(nullptr), CKR_OK);
}

}  // namespace
}  // namespace keyscope::p11
