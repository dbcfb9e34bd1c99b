// The TPM goes and comes, processes fork, the module ends: what was promised of each.
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/module/usual.h"

namespace keyscope::test {
namespace {

class Lifecycle : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}, {CKA_LABEL, "key"}});
  }
  void ExpectSigns() { test::ExpectSigns(session, pair); }
  void LogInAgain() {
    ASSERT_OK(Login(session, CKU_USER, kUserPin));
    pair.private_key = Now(session, pair.private_key);
  }
  KeyPair pair;
};

// Initializes, logs in, signs and finalizes; the number of the step that failed.
int SignFromTheStart() {
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key;
  CK_ULONG count = 0;
  Attributes wanted{{CKA_LABEL, "key"}, {CKA_CLASS, CKO_PRIVATE_KEY}};
  Bytes digest = Pattern(32), signature(64);
  CK_ULONG size = signature.size();
  if (C_Initialize(nullptr) != CKR_OK) return 2;
  if (C_OpenSession(kMachineSlot, kReadOnly, nullptr, nullptr, &session) != CKR_OK) return 3;
  if (Login(session, CKU_USER, kUserPin) != CKR_OK) return 4;
  if (C_FindObjectsInit(session, wanted.data(), wanted.size()) != CKR_OK) return 5;
  if (C_FindObjects(session, &key, 1, &count) != CKR_OK || count != 1) return 6;
  if (C_FindObjectsFinal(session) != CKR_OK) return 7;
  if (C_SignInit(session, Mechanism(CKM_ECDSA).get(), key) != CKR_OK) return 8;
  if (C_Sign(session, digest.data(), 32, signature.data(), &size) != CKR_OK) return 9;
  return C_Finalize(nullptr) == CKR_OK ? 0 : 10;
}

TEST_F(Lifecycle, TheNextSignWorksAfterTheTpmWasRestarted) {
  for (int round = 0; round < 3; ++round) {
    ExpectSigns();
    if (round != 0) ExpectSigns();  // with a held session
    StopTpm();
    swtpm().Start();
    ExpectSigns();
  }
  proxy().Disconnect();
  swtpm().Kill();  // without a shutdown
  swtpm().Start();
  ExpectSigns();
  ClearLockout();
}

TEST_F(Lifecycle, ATpmThatIsAwayIsToldAndComesBack) {
  StopTpm();
  Bytes digest = Pattern(32), signature(64);
  CK_ULONG size = signature.size();
  ASSERT_OK(C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));
  EXPECT_RV(CKR_DEVICE_ERROR, C_Sign(session, digest.data(), 32, signature.data(), &size));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            C_Sign(session, digest.data(), 32, signature.data(), &size));
  EXPECT_EQ(Find(session, {{CKA_LABEL, "key"}}), std::vector{pair.private_key})
      << "objects still list";
  KeyPair refused;
  EXPECT_RV(CKR_DEVICE_ERROR,
            TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}},
                            {{CKA_TOKEN, true}}, refused));
  EXPECT_EQ(Find(session, {{CKA_TOKEN, true}}).size(), 1U) << "no half pair";
  swtpm().Start();
  ExpectSigns();
}

TEST_F(Module, ATpmThatComesLaterIsSeen) {
  ASSERT_OK(C_Finalize(nullptr));
  setenv("KEYSCOPE_TCTI", swtpm().tcti().c_str(), 1);
  StopTpm();
  ASSERT_OK(C_Initialize(nullptr));
  CK_ULONG count = 0;
  EXPECT_OK(C_GetSlotList(CK_FALSE, nullptr, &count));
  EXPECT_EQ(count, 2U);
  EXPECT_OK(C_GetSlotList(CK_TRUE, nullptr, &count));
  EXPECT_EQ(count, 0U);
  CK_TOKEN_INFO info;
  EXPECT_RV(CKR_TOKEN_NOT_PRESENT, C_GetTokenInfo(kMachineSlot, &info));
  CK_SESSION_HANDLE session;
  EXPECT_RV(CKR_TOKEN_NOT_PRESENT,
            C_OpenSession(kMachineSlot, kReadOnly, nullptr, nullptr, &session));

  swtpm().Start();
  EXPECT_OK(C_GetSlotList(CK_TRUE, nullptr, &count));
  EXPECT_EQ(count, 2U);
  session = OpenLoggedIn();
  EXPECT_OK(C_GetTokenInfo(kMachineSlot, &info));
  EXPECT_OK(C_Finalize(nullptr));
}

TEST_F(Lifecycle, NothingStaysInTheTpm) {
  GenerateRsa(session);
  const KeyPair other = GenerateEc(session);
  ExpectSigns();
  test::ExpectSigns(session, pair);
  ASSERT_OK(C_DestroyObject(session, other.private_key));
  ASSERT_OK(C_Logout(session));
  EXPECT_TRUE(proxy().LoadedHandles().empty()) << "after logout";
  LogInAgain();
  ExpectSigns();
  ExpectSigns();
  ASSERT_OK(C_CloseSession(session));
  EXPECT_TRUE(proxy().LoadedHandles().empty()) << "after the last session";
}

TEST_F(Lifecycle, NothingStaysInTheTpmAfterAnError) {
  for (uint32_t code :
       {0x101U, 0x902U, 0x922U, 0x9a2U}) {  // failure, object memory, retry, bad auth
    for (int skip = 0; skip < 4; ++skip) {
      proxy().Inject(skip, {Harm::Kind::Answer, code});
      Try(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32));
      Attributes spec{{CKA_EC_PARAMS, P256().params}};
      KeyPair made;
      TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, spec, {}, made);
      proxy().Inject(0, {}, 0);
      C_Logout(session);
      EXPECT_TRUE(proxy().LoadedHandles().empty()) << std::hex << code << " after " << skip;
      LogInAgain();
    }
  }
  ExpectSigns();
}

TEST_F(Lifecycle, AChildInitializesForItself) {
  ExpectSigns();
  const int failed = InChild([] {
    CK_INFO info;
    CK_SLOT_ID slot;
    if (C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED) return 1;
    if (C_Finalize(nullptr) != CKR_CRYPTOKI_NOT_INITIALIZED) return 11;
    if (C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr) != CKR_CRYPTOKI_NOT_INITIALIZED)
      return 12;
    return SignFromTheStart();
  });
  EXPECT_EQ(failed, 0) << "the step of the child that failed";
  ExpectSigns();
  EXPECT_EQ(TriesUsed(), 0U);
}

// One at a time: without a resource manager the TPM has no room for more.
TEST_F(Lifecycle, ChildrenSignBetweenTheirParentsSigns) {
  for (int i = 0; i < 6; ++i) {
    ExpectSigns();
    ExpectSigns();
    EXPECT_EQ(InChild(SignFromTheStart), 0) << "the step of the child that failed";
  }
  ExpectSigns();
  EXPECT_EQ(TriesUsed(), 0U);
}

// The child finds no lock taken, and the answer that comes later is still the parent's.
TEST_F(Lifecycle, AForkWhileAnotherThreadWaitsForTheTpm) {
  for (int position : {0, 1}) {  // a session is started; the key is loaded already and signs
    SCOPED_TRACE(position);
    ASSERT_OK(C_Logout(session));
    LogInAgain();
    ExpectSigns();
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // no session is held any more
    proxy().Inject(position, {Harm::Kind::Hold});
    std::jthread signer([this] { ExpectSigns(); });
    ASSERT_TRUE(proxy().AwaitHeld());
    EXPECT_EQ(InChild(SignFromTheStart), 0) << "the step of the child that failed";
    EXPECT_TRUE(proxy().LetGo()) << "the fork or the child waited for the parent's command";
    signer.join();
    ExpectSigns();
  }
  EXPECT_EQ(TriesUsed(), 0U);
}

// Of a store that was copied to another machine.
TEST_F(Lifecycle, WithAnotherTpmAStoreIsOfNoUse) {
  Create(session, {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}, {CKA_LABEL, "public"}});
  Create(session,
         {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}, {CKA_PRIVATE, true}, {CKA_LABEL, "private"}});
  ASSERT_OK(C_Finalize(nullptr));
  proxy().Disconnect();
  swtpm().Replace();
  ASSERT_OK(C_Initialize(nullptr));
  session = Open();
  for (std::string_view pin : {kUserPin, std::string_view("another")}) {
    EXPECT_RV(CKR_DEVICE_ERROR, Login(session, CKU_USER, pin));
  }
  EXPECT_RV(CKR_DEVICE_ERROR, Login(session, CKU_SO, kSoPin));
  EXPECT_EQ(Find(session, {{CKA_LABEL, "public"}}).size(), 1U);
  EXPECT_TRUE(Find(session, {{CKA_LABEL, "private"}}).empty());
  EXPECT_TRUE(Find(session, {{CKA_CLASS, CKO_PRIVATE_KEY}}).empty());
  EXPECT_EQ(TriesUsed(), 0U);
  // Nor while somebody who knew the PIN is logged in to a token of the new TPM.
  EXPECT_OK(C_CloseSession(session));
  ASSERT_OK(InitToken(kMachineSlot));
  SetUserPin(kMachineSlot, kUserPin);
  session = OpenLoggedIn();
  EXPECT_TRUE(Find(session, {{CKA_TOKEN, true}}).empty());
}

TEST_F(Module, InitializeAndFinalizeTakeTurns) {
  EXPECT_RV(CKR_CRYPTOKI_ALREADY_INITIALIZED, C_Initialize(nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_Finalize(&proxy()));
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(C_Finalize(nullptr));
    EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, C_Finalize(nullptr));
    ASSERT_OK(C_Initialize(nullptr));
  }
  const CK_SESSION_HANDLE session = OpenLoggedIn();
  ASSERT_OK(C_Finalize(nullptr));
  CK_SESSION_INFO info;
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, C_GetSessionInfo(session, &info));
  ASSERT_OK(C_Initialize(nullptr));
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo(session, &info));
}

// One process changes, another sees it.
// What another thread's getenv is reading must not be freed.
TEST_F(Module, TheTssIsSilencedBesideReadersOfTheEnvironment) {
  ASSERT_OK(C_Finalize(nullptr));
  ::unsetenv("TSS2_LOG");
  ::setenv("KEYSCOPE_TEST_GROWS", "1", 1);  // from now on the array is the C library's to free
  char** const before = environ;
  const std::vector<std::string> all(before, std::find(before, before + 100'000, nullptr));
  ASSERT_OK(C_Initialize(nullptr));
  EXPECT_STREQ(::getenv("TSS2_LOG"), "all+none");
  EXPECT_NE(environ, before);
  EXPECT_EQ(std::vector<std::string>(before, std::find(before, before + 100'000, nullptr)), all);
  char** const once = environ;
  ASSERT_OK(C_Finalize(nullptr));
  ASSERT_OK(C_Initialize(nullptr));
  EXPECT_EQ(environ, once);
  ::unsetenv("KEYSCOPE_TEST_GROWS");
}

// Another process has a store locked: a fork waits for that, other calls do not wait with it.
TEST_F(Module, AForkThatWaitsForAStoreHoldsUpNoOtherCall) {
  const CK_SESSION_HANDLE session = Open();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder() + "/machine/machine.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  std::atomic<int> done = 0;
  std::jthread reader([&] {
    EXPECT_OK(C_FindObjectsInit(session, nullptr, 0));
    CK_OBJECT_HANDLE found;
    CK_ULONG count = 0;
    EXPECT_OK(C_FindObjects(session, &found, 1, &count));
    ++done;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  std::jthread forker([&] {
    EXPECT_EQ(InChild([] { return 0; }), 0);
    ++done;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CK_INFO info;
  EXPECT_OK(C_GetInfo(&info));
  EXPECT_EQ(done, 0) << "both wait";
  EXPECT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_close(other), SQLITE_OK);
}

TEST_F(Lifecycle, OtherProcessesChangesAreSeen) {
  const int failed = InChild([] {
    if (C_Initialize(nullptr) != CKR_OK) return 1;
    CK_SESSION_HANDLE own;
    if (C_OpenSession(kMachineSlot, kReadWrite, nullptr, nullptr, &own) != CKR_OK) return 2;
    if (TryCreate(own, {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}, {CKA_LABEL, "from the child"}}) !=
        CKR_OK)
      return 3;
    return C_Finalize(nullptr) == CKR_OK ? 0 : 4;
  });
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Find(session, {{CKA_LABEL, "from the child"}}).size(), 1U);
}

// A login to a token that somebody has initialised again is over.
TEST_F(Lifecycle, AnotherProcessInitialisesTheToken) {
  const int failed = InChild([] {
    if (C_Initialize(nullptr) != CKR_OK) return 1;
    if (InitToken(kMachineSlot) != CKR_OK) return 2;
    return C_Finalize(nullptr) == CKR_OK ? 0 : 3;
  });
  EXPECT_EQ(failed, 0);
  EXPECT_TRUE(Find(session, {{CKA_TOKEN, true}}).empty());
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key));
  KeyPair refused;
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN,
            TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}},
                            {{CKA_TOKEN, true}}, refused));
}

}  // namespace
}  // namespace keyscope::test
