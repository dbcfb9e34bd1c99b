// Arguments that reach no token: lists, handles, NULL pointers, and the order in which they are
// refused.
#include <gmock/gmock.h>

#include <array>
#include <map>

#include "tests/unit/p11/environment.h"

namespace keyscope::p11 {
namespace {

using test::Initialized;
using test::WithoutTpm;

// Calls a C_ function with 0 for every argument.
template <typename... Args>
CK_RV CallWithZeros(CK_RV (*function)(Args...)) {
  return function(Args{}...);
}
struct Function {
  const char* name;
  CK_RV (*call)();
};
template <auto F>
CK_RV WithZeros() {
  return CallWithZeros(F);
}
#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) {#name, WithZeros<name>},
const Function kFunctions[] = {
#include <pkcs11f.h>
};

// What each function of the list answers to zeros, but for the few in `others`.
void ExpectFromAll(CK_RV expected, const std::map<std::string, CK_RV>& others) {
  for (const Function& function : kFunctions) {
    std::string name = function.name;
    if (name == "C_Initialize" || name == "C_Finalize") continue;
    auto other = others.find(name);
    EXPECT_EQ(function.call(), other == others.end() ? expected : other->second) << name;
  }
}

TEST_F(WithoutTpm, BeforeInitializeEveryFunctionSaysSo) {
  ExpectFromAll(CKR_CRYPTOKI_NOT_INITIALIZED, {{"C_GetFunctionList", CKR_ARGUMENTS_BAD},
                                               {"C_GetInterfaceList", CKR_ARGUMENTS_BAD},
                                               {"C_GetInterface", CKR_ARGUMENTS_BAD}});
}

TEST_F(Initialized, TheSessionHandleIsRefusedBeforeTheArguments) {
  std::map<std::string, CK_RV> others = {{"C_CloseAllSessions", CKR_OK}};
  for (const char* name :
       {"C_GetInfo", "C_GetFunctionList", "C_GetInterfaceList", "C_GetInterface", "C_GetSlotList",
        "C_GetSlotInfo", "C_GetTokenInfo", "C_GetMechanismList", "C_GetMechanismInfo",
        "C_InitToken", "C_OpenSession", "C_WaitForSlotEvent"})
    others[name] = CKR_ARGUMENTS_BAD;
  ExpectFromAll(CKR_SESSION_HANDLE_INVALID, others);
}

TEST_F(Initialized, SlotListFollowsTheRuleForLists) {
  CK_ULONG count = 0;
  ASSERT_EQ(C_GetSlotList(CK_FALSE, nullptr, &count), CKR_OK);
  ASSERT_EQ(count, 2U);
  std::array<CK_SLOT_ID, 2> slots = {9, 9};
  count = 1;
  EXPECT_EQ(C_GetSlotList(CK_FALSE, slots.data(), &count), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(count, 2U);
  ASSERT_EQ(C_GetSlotList(CK_FALSE, slots.data(), &count), CKR_OK);
  EXPECT_THAT(slots, testing::ElementsAre(0, 1));
}

TEST_F(Initialized, WithoutATpmNoTokenIsPresent) {
  CK_ULONG count = 9;
  ASSERT_EQ(C_GetSlotList(CK_TRUE, nullptr, &count), CKR_OK);
  EXPECT_EQ(count, 0U);
  CK_SLOT_INFO slot{};
  ASSERT_EQ(C_GetSlotInfo(0, &slot), CKR_OK);
  EXPECT_EQ(slot.flags & CKF_TOKEN_PRESENT, 0U);
  CK_TOKEN_INFO token{};
  EXPECT_EQ(C_GetTokenInfo(1, &token), CKR_TOKEN_NOT_PRESENT);
  CK_SESSION_HANDLE session = 0;
  EXPECT_EQ(C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
            CKR_TOKEN_NOT_PRESENT);
}

TEST_F(Initialized, AnUnknownSlotIsRefused) {
  CK_SLOT_INFO slot{};
  CK_TOKEN_INFO token{};
  CK_ULONG count = 0;
  CK_SESSION_HANDLE session = 0;
  for (CK_SLOT_ID id : {CK_SLOT_ID{2}, ~CK_SLOT_ID{0}}) {
    EXPECT_EQ(C_GetSlotInfo(id, &slot), CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_GetTokenInfo(id, &token), CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_GetMechanismList(id, nullptr, &count), CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_OpenSession(id, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              CKR_SLOT_ID_INVALID);
    EXPECT_EQ(C_CloseAllSessions(id), CKR_SLOT_ID_INVALID);
  }
}

TEST_F(Initialized, SessionsAreSerial) {
  CK_SESSION_HANDLE session = 0;
  EXPECT_EQ(C_OpenSession(0, CKF_RW_SESSION, nullptr, nullptr, &session),
            CKR_SESSION_PARALLEL_NOT_SUPPORTED);
}

TEST_F(Initialized, InfoIsBlankPadded) {
  CK_INFO info{};
  ASSERT_EQ(C_GetInfo(&info), CKR_OK);
  EXPECT_EQ(info.cryptokiVersion.major, 3);
  EXPECT_EQ(std::string(std::begin(info.manufacturerID), std::end(info.manufacturerID)),
            "Keyscope" + std::string(24, ' '));
}

}  // namespace
}  // namespace keyscope::p11
