// PINs: set, changed, wrong, too long, locked (sections 5.5 and 5.6).
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

constexpr CK_FLAGS kUserPinFlags =
    CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;

CK_RV InitPin(CK_SESSION_HANDLE session, std::string_view pin) {
  return C_InitPIN(session, Mutable(pin), pin.size());
}
CK_RV SetPin(CK_SESSION_HANDLE session, std::string_view old_pin, std::string_view new_pin) {
  return C_SetPIN(session, Mutable(old_pin), old_pin.size(), Mutable(new_pin), new_pin.size());
}

class Pins : public Module {
 protected:
  void SetUp() override {
    Module::SetUp();
    session = Open();
  }
  // Whether it opens the token, and nothing else about it changes.
  void ExpectPin(CK_USER_TYPE user, std::string_view pin) {
    EXPECT_OK(Login(session, user, pin));
    EXPECT_OK(C_Logout(session));
  }
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
};

TEST_F(Pins, OnlyTheSoInitializesTheUserPin) {
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, InitPin(session, "another"));
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, InitPin(session, "another"));
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(Login(session, CKU_SO, kSoPin));
  ASSERT_OK(InitPin(session, "another"));
  ASSERT_OK(C_Logout(session));
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, kUserPin));
  ExpectPin(CKU_USER, "another");
}

TEST_F(Pins, TheUserPinIsChangedPublicOrLoggedIn) {
  ASSERT_OK(SetPin(session, kUserPin, "second"));  // the user's, when nobody is logged in
  ASSERT_OK(Login(session, CKU_USER, "second"));
  ASSERT_OK(SetPin(session, "second", "third"));
  ASSERT_OK(C_Logout(session));
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, "second"));
  ExpectPin(CKU_USER, "third");
  ExpectPin(CKU_SO, kSoPin);
}

TEST_F(Pins, TheSoChangesTheirOwn) {
  ASSERT_OK(Login(session, CKU_SO, kSoPin));
  ASSERT_OK(SetPin(session, kSoPin, "so-second"));
  ASSERT_OK(C_Logout(session));
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_SO, kSoPin));
  ExpectPin(CKU_SO, "so-second");
  ExpectPin(CKU_USER, kUserPin);
}

TEST_F(Pins, AWrongOldPinChangesNothing) {
  EXPECT_RV(CKR_PIN_INCORRECT, SetPin(session, "not this", "second"));
  EXPECT_EQ(TriesUsed(), 1U);
  ExpectPin(CKU_USER, kUserPin);
}

TEST_F(Pins, AReadOnlySessionChangesNone) {
  const CK_SESSION_HANDLE ro = Open(kMachineSlot, kReadOnly);
  EXPECT_RV(CKR_SESSION_READ_ONLY, SetPin(ro, kUserPin, "second"));
  ExpectPin(CKU_USER, kUserPin);
}

TEST_F(Pins, ObjectsSurviveANewPin) {
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}});
  ASSERT_OK(SetPin(session, kUserPin, "second"));
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(Login(session, CKU_USER, "second"));
  const CK_OBJECT_HANDLE key = Now(session, pair.private_key);
  EXPECT_EQ(Do(kSign, session, CKM_ECDSA, key, Pattern(32)).size(), 64U);
}

TEST_F(Pins, Lengths) {
  CK_TOKEN_INFO info{};
  ASSERT_OK(C_GetTokenInfo(kMachineSlot, &info));
  const std::string longest(info.ulMaxPinLen, 'x'), longer = longest + 'x';
  const std::string shorter(info.ulMinPinLen - 1, 'x');
  for (const std::string& bad : {longer, shorter, std::string()})
    EXPECT_RV(CKR_PIN_LEN_RANGE, SetPin(session, kUserPin, bad)) << bad.size();
  for (const std::string& bad : {longer, shorter, std::string()})
    EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, bad)) << bad.size();
  EXPECT_RV(CKR_PIN_INCORRECT, SetPin(session, longer, "second"));
  ASSERT_OK(Login(session, CKU_SO, kSoPin));
  for (const std::string& bad : {longer, shorter})
    EXPECT_RV(CKR_PIN_LEN_RANGE, InitPin(session, bad)) << bad.size();
  EXPECT_OK(InitPin(session, longest));
  EXPECT_OK(C_Logout(session));
  EXPECT_EQ(TriesUsed(), 0U) << "a PIN that cannot be right costs nothing";
  ExpectPin(CKU_USER, longest);
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, longest.substr(1)));
}

TEST_F(Pins, ANulInsideIsPartOfThePin) {
  const std::string_view pin("ab\0cd\0", 6);
  ASSERT_OK(SetPin(session, kUserPin, pin));
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, std::string_view("ab\0cd\0\0", 7)));
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, std::string_view("ab\0ce\0", 6)));
  ExpectPin(CKU_USER, pin);
}

TEST_F(Pins, NullPins) {
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_SetPIN(session, nullptr, 4, Mutable("abcd"), 4));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_SetPIN(session, Mutable(kUserPin), kUserPin.size(), nullptr, 4));
  ASSERT_OK(Login(session, CKU_SO, kSoPin));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_InitPIN(session, nullptr, 4));
  EXPECT_OK(C_Logout(session));
  ExpectPin(CKU_USER, kUserPin);
}

TEST_F(Pins, WithoutAUserPinThereIsNoUser) {
  ASSERT_OK(C_CloseAllSessions(kMachineSlot));
  ASSERT_OK(InitToken(kMachineSlot));
  session = Open();
  EXPECT_EQ(TokenFlags(kMachineSlot) & CKF_USER_PIN_INITIALIZED, 0U);
  EXPECT_RV(CKR_USER_PIN_NOT_INITIALIZED, Login(session, CKU_USER, kUserPin));
  EXPECT_RV(CKR_USER_PIN_NOT_INITIALIZED, SetPin(session, kUserPin, "second"));
}

TEST_F(Pins, AnEmptyPinMeansNoLogin) {
  EXPECT_NE(TokenFlags(kMachineSlot) & CKF_LOGIN_REQUIRED, 0U);
  ASSERT_OK(Login(session, CKU_SO, kSoPin));
  ASSERT_OK(InitPin(session, ""));
  ASSERT_OK(C_Logout(session));
  EXPECT_EQ(TokenFlags(kMachineSlot) & CKF_LOGIN_REQUIRED, 0U);
  EXPECT_NE(TokenFlags(kMachineSlot) & CKF_USER_PIN_INITIALIZED, 0U);

  const KeyPair pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}, {CKA_LABEL, "pin-less"}});
  auto expect_signs = [&] {
    const auto found = Find(session, {{CKA_LABEL, "pin-less"}});
    ASSERT_EQ(found.size(), 1U);
    const Bytes signature = Do(kSign, session, CKM_ECDSA, found[0], Pattern(32));
    EXPECT_OK(Verify(session, CKM_ECDSA, pair.public_key, Pattern(32), signature));
  };
  expect_signs();
  ASSERT_OK(Login(session, CKU_USER, ""));  // allowed, not needed
  expect_signs();
  ASSERT_OK(C_Logout(session));
  expect_signs();
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, "something"));
  EXPECT_EQ(TriesUsed(), 0U);
  // And back to a PIN.
  ASSERT_OK(SetPin(session, "", "a PIN now"));
  EXPECT_NE(TokenFlags(kMachineSlot) & CKF_LOGIN_REQUIRED, 0U);
  EXPECT_TRUE(Find(session, {{CKA_LABEL, "pin-less"}}).empty());
  ASSERT_OK(Login(session, CKU_USER, "a PIN now"));
  expect_signs();
}

// At once, and in the session that changed it.
TEST_F(Pins, WhetherALoginIsNeededFollowsThePin) {
  ASSERT_OK(Login(session, CKU_SO, kSoPin));
  ASSERT_OK(InitPin(session, ""));
  ASSERT_OK(C_Logout(session));
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}}, {{CKA_TOKEN, true}});
  Do(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32));
  ASSERT_OK(C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));
  ASSERT_OK(SetPin(session, "", "a PIN now"));
  Bytes room(64);
  CK_ULONG size = room.size();
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            C_Sign(session, Mutable(Pattern(32)), 32, room.data(), &size));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));
  EXPECT_TRUE(Find(session, {{CKA_CLASS, CKO_PRIVATE_KEY}}).empty());
  ExpectPin(CKU_USER, "a PIN now");
}

TEST_F(Pins, AWrongPinSpendsOneTryAndShowsInTheFlags) {
  EXPECT_EQ(TokenFlags(kMachineSlot) & kUserPinFlags, 0U);
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, "not this"));
  EXPECT_EQ(TriesUsed(), 1U);
  EXPECT_EQ(TokenFlags(kMachineSlot) & kUserPinFlags, CKF_USER_PIN_COUNT_LOW);
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_USER, "nor this"));
  EXPECT_EQ(TriesUsed(), 2U);
  EXPECT_EQ(TokenFlags(kMachineSlot) & kUserPinFlags,
            CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
  EXPECT_EQ(TokenFlags(kMachineSlot) & CKF_SO_PIN_COUNT_LOW, 0U);
  ExpectPin(CKU_USER, kUserPin);
  EXPECT_EQ(TokenFlags(kMachineSlot) & kUserPinFlags, 0U);
  EXPECT_EQ(TriesUsed(), 2U) << "the right PIN costs nothing";
}

TEST_F(Pins, AWrongSoPinHasItsOwnFlags) {
  EXPECT_RV(CKR_PIN_INCORRECT, Login(session, CKU_SO, "not this"));
  EXPECT_NE(TokenFlags(kMachineSlot) & CKF_SO_PIN_COUNT_LOW, 0U);
  EXPECT_EQ(TokenFlags(kMachineSlot) & kUserPinFlags, 0U);
  ExpectPin(CKU_SO, kSoPin);
  EXPECT_EQ(TokenFlags(kMachineSlot) & CKF_SO_PIN_COUNT_LOW, 0U);
}

TEST_F(Pins, LockoutIsToldAndEnds) {
  CK_RV rv = CKR_OK;
  for (int i = 0; i < 10 && rv != CKR_PIN_LOCKED; ++i) {
    rv = Login(session, CKU_USER, "not this");
    EXPECT_TRUE(rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED) << rv;
  }
  EXPECT_RV(CKR_PIN_LOCKED, Login(session, CKU_USER, kUserPin));
  EXPECT_RV(CKR_PIN_LOCKED, Login(session, CKU_SO, kSoPin));
  EXPECT_RV(CKR_PIN_LOCKED, SetPin(session, kUserPin, "second"));
  EXPECT_NE(TokenFlags(kMachineSlot) & CKF_USER_PIN_LOCKED, 0U);
  ClearLockout();
  ExpectPin(CKU_USER, kUserPin);
  EXPECT_EQ(TokenFlags(kMachineSlot) & kUserPinFlags, 0U);
  EXPECT_EQ(TriesUsed(), 0U);
}

TEST_F(Pins, KeysWorkDuringALockout) {
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  const KeyPair pair = GenerateEc(session);
  const CK_SESSION_HANDLE other = Open(kUserSlot);
  for (int i = 0; i < 4; ++i) EXPECT_NE(Login(other, CKU_USER, "not this"), CKR_OK);
  EXPECT_RV(CKR_PIN_LOCKED, Login(other, CKU_USER, kUserPin));
  EXPECT_EQ(Do(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32)).size(), 64U);
}

TEST_F(Pins, InitTokenAgainDestroysTheObjectsOfThisSlotOnly) {
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  const CK_SESSION_HANDLE other = OpenLoggedIn(kUserSlot);
  GenerateEc(session, P256(), {{CKA_TOKEN, true}}, {{CKA_TOKEN, true}});
  GenerateEc(other, P256(), {{CKA_TOKEN, true}}, {{CKA_TOKEN, true}});
  EXPECT_RV(CKR_SESSION_EXISTS, InitToken(kMachineSlot));
  ASSERT_OK(C_CloseAllSessions(kMachineSlot));

  EXPECT_RV(CKR_PIN_INCORRECT, InitToken(kMachineSlot, "not this"));
  EXPECT_RV(CKR_PIN_INCORRECT, InitToken(kMachineSlot, "x"));
  session = OpenLoggedIn();
  EXPECT_EQ(Find(session, {}).size(), 2U);
  ASSERT_OK(C_CloseAllSessions(kMachineSlot));

  ASSERT_OK(InitToken(kMachineSlot));
  SetUserPin(kMachineSlot, kUserPin);
  session = OpenLoggedIn();
  EXPECT_TRUE(Find(session, {}).empty());
  EXPECT_EQ(Find(other, {}).size(), 2U);
}

TEST_F(Pins, InitTokenArguments) {
  ASSERT_OK(C_CloseAllSessions(kMachineSlot));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_InitToken(kMachineSlot, Mutable(kSoPin), kSoPin.size(), nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD,
            C_InitToken(kMachineSlot, nullptr, 8, Mutable(std::string(32, ' '))));
  EXPECT_RV(CKR_SLOT_ID_INVALID, InitToken(2));
}

}  // namespace
}  // namespace keyscope::test
