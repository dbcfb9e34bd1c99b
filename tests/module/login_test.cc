// Who may be logged in when: the state machine of sections 5.6 and 3.5.
#include <thread>

#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

CK_STATE StateOf(CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info{};
  EXPECT_OK(C_GetSessionInfo(session, &info));
  return info.state;
}

TEST_F(Module, SessionsFollowTheLogin) {
  const CK_SESSION_HANDLE rw = Open(), ro = Open(kMachineSlot, kReadOnly), other = Open(kUserSlot);
  EXPECT_EQ(StateOf(rw), CKS_RW_PUBLIC_SESSION);
  EXPECT_EQ(StateOf(ro), CKS_RO_PUBLIC_SESSION);
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, C_Logout(rw));

  ASSERT_OK(Login(ro, CKU_USER, kUserPin));
  EXPECT_EQ(StateOf(rw), CKS_RW_USER_FUNCTIONS);
  EXPECT_EQ(StateOf(ro), CKS_RO_USER_FUNCTIONS);
  EXPECT_EQ(StateOf(Open(kMachineSlot, kReadOnly)), CKS_RO_USER_FUNCTIONS);
  EXPECT_EQ(StateOf(other), CKS_RW_PUBLIC_SESSION) << "the slots know nothing of each other";
  EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, Login(rw, CKU_USER, kUserPin));
  EXPECT_RV(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, Login(rw, CKU_SO, kSoPin));

  ASSERT_OK(C_Logout(rw));
  EXPECT_EQ(StateOf(ro), CKS_RO_PUBLIC_SESSION);
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, C_Logout(ro));
}

TEST_F(Module, TheSoHasReadWriteSessionsOnly) {
  const CK_SESSION_HANDLE ro = Open(kMachineSlot, kReadOnly), rw = Open();
  EXPECT_RV(CKR_SESSION_READ_ONLY_EXISTS, Login(rw, CKU_SO, kSoPin));
  EXPECT_RV(CKR_SESSION_READ_ONLY_EXISTS, Login(ro, CKU_SO, kSoPin));
  ASSERT_OK(C_CloseSession(ro));
  ASSERT_OK(Login(rw, CKU_SO, kSoPin));
  EXPECT_EQ(StateOf(rw), CKS_RW_SO_FUNCTIONS);
  EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, Login(rw, CKU_SO, kSoPin));
  EXPECT_RV(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, Login(rw, CKU_USER, kUserPin));
  CK_SESSION_HANDLE refused = CK_INVALID_HANDLE;
  EXPECT_RV(CKR_SESSION_READ_WRITE_SO_EXISTS,
            C_OpenSession(kMachineSlot, kReadOnly, nullptr, nullptr, &refused));
  EXPECT_EQ(StateOf(Open()), CKS_RW_SO_FUNCTIONS);
}

TEST_F(Module, TheSoSeesNoPrivateObjects) {
  CK_SESSION_HANDLE session = OpenLoggedIn();
  Create(session, {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}, {CKA_PRIVATE, true}});
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(Login(session, CKU_SO, kSoPin));
  EXPECT_TRUE(Find(session, {}).empty());
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN,
            TryCreate(session, {{CKA_CLASS, CKO_DATA}, {CKA_PRIVATE, true}}));
  EXPECT_OK(TryCreate(session, {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}}));
}

TEST_F(Module, TheLastSessionTakesTheLoginAlong) {
  for (bool all : {false, true}) {
    const CK_SESSION_HANDLE first = OpenLoggedIn(), second = Open();
    ASSERT_OK(C_CloseSession(first));
    EXPECT_EQ(StateOf(second), CKS_RW_USER_FUNCTIONS);
    ASSERT_OK(all ? C_CloseAllSessions(kMachineSlot) : C_CloseSession(second));
    const CK_SESSION_HANDLE third = Open();
    EXPECT_EQ(StateOf(third), CKS_RW_PUBLIC_SESSION);
    ASSERT_OK(C_CloseSession(third));
  }
}

TEST_F(Module, OfTwoLoginsAtOnceOneIsTold) {
  for (int round = 0; round < 5; ++round) {
    const CK_SESSION_HANDLE sessions[] = {Open(), Open()};
    CK_RV rvs[2];
    {
      std::jthread one([&] { rvs[0] = Login(sessions[0], CKU_USER, kUserPin); });
      std::jthread two([&] { rvs[1] = Login(sessions[1], CKU_USER, kUserPin); });
    }
    if (rvs[0] != CKR_OK) std::swap(rvs[0], rvs[1]);
    EXPECT_OK(rvs[0]);
    EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, rvs[1]);
    ASSERT_OK(C_CloseAllSessions(kMachineSlot));
  }
}

// A login that is under way when its session goes must not be there for the next session.
TEST_F(Module, ALoginDoesNotOutliveItsSession) {
  for (int round = 0; round < 10; ++round) {
    const CK_SESSION_HANDLE session = Open();
    {
      std::jthread login([&] { Login(session, CKU_USER, kUserPin); });
      std::this_thread::sleep_for(std::chrono::milliseconds(round / 2));
      ASSERT_OK(C_CloseSession(session));
    }
    const CK_SESSION_HANDLE next = Open();
    ASSERT_EQ(StateOf(next), CKS_RW_PUBLIC_SESSION) << "round " << round;
    ASSERT_OK(C_CloseSession(next));
  }
}

TEST_F(Module, BadLoginArguments) {
  const CK_SESSION_HANDLE session = Open();
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, Login(CK_INVALID_HANDLE, CKU_USER, kUserPin));
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, Login(session + 1, CKU_USER, kUserPin));
  EXPECT_RV(CKR_USER_TYPE_INVALID, Login(session, 3, kUserPin));
  EXPECT_RV(CKR_USER_TYPE_INVALID, Login(session, ~CK_ULONG{0}, kUserPin));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, Login(session, CKU_CONTEXT_SPECIFIC, kUserPin));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_Login(session, CKU_USER, nullptr, 8));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_Login(session, CKU_USER, Mutable(kUserPin), ~CK_ULONG{0}));
  EXPECT_EQ(TriesUsed(), 0U);
}

TEST_F(Module, LoginUserTakesNoUserName) {
  const CK_SESSION_HANDLE session = Open();
  EXPECT_RV(CKR_ARGUMENTS_BAD,
            C_LoginUser(session, CKU_USER, Mutable(kUserPin), kUserPin.size(), Mutable("name"), 4));
  EXPECT_OK(C_LoginUser(session, CKU_USER, Mutable(kUserPin), kUserPin.size(), nullptr, 0));
  EXPECT_EQ(StateOf(session), CKS_RW_USER_FUNCTIONS);
}

TEST_F(Module, SessionArguments) {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  EXPECT_RV(CKR_SESSION_PARALLEL_NOT_SUPPORTED,
            C_OpenSession(kMachineSlot, CKF_RW_SESSION, nullptr, nullptr, &session));
  EXPECT_RV(CKR_SLOT_ID_INVALID, C_OpenSession(2, kReadWrite, nullptr, nullptr, &session));
  EXPECT_RV(CKR_SLOT_ID_INVALID, C_CloseAllSessions(~CK_ULONG{0}));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_OpenSession(kMachineSlot, kReadWrite, nullptr, nullptr, nullptr));
  session = Open();
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GetSessionInfo(session, nullptr));
  ASSERT_OK(C_CloseSession(session));
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, C_CloseSession(session));
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, C_Logout(session));
}

}  // namespace
}  // namespace keyscope::test
