// Every response code of TPM 2.0 Part 2, section 6.6, and every kind of bad answer, at each command
// of each call: a code of PKCS#11 that says what is wrong, nothing left in the TPM, and the next
// call works.
#include <algorithm>
#include <iostream>
#include <ostream>
#include <set>
#include <thread>

#include "tests/torture/torture_fixture.h"

namespace keyscope::test {
namespace {

// Format zero without and with severity "warning", and format one, which also says to which handle,
// parameter or session it belongs.
std::vector<Harm> AllHarms() {
  using Kind = Harm::Kind;
  std::vector<Harm> harms = {{Kind::CutBefore}, {Kind::CutAfter}, {Kind::Truncate},
                             {Kind::Garbage},   {Kind::Flip},     {Kind::Answer, 0x1e}};
  for (uint32_t n = 0x00; n <= 0x55; ++n) harms.push_back({Kind::Answer, 0x100 + n});
  for (uint32_t n = 0x01; n <= 0x23; ++n) harms.push_back({Kind::Answer, 0x900 + n});
  harms.push_back({Kind::Answer, 0x97f});  // TPM_RC_NOT_USED
  for (uint32_t n = 0x01; n <= 0x2d; ++n)
    for (uint32_t of : {0x000U, 0x100U, 0x140U, 0x900U})
      harms.push_back({Kind::Answer, 0x080 + of + n});
  return harms;
}

// A call of somebody who has just logged in. `codes`: its own, beside those that any may answer.
struct Call {
  const char* name;
  std::function<CK_RV(CK_SESSION_HANDLE)> run;
  std::set<CK_RV> codes = {};
  std::function<void(CK_SESSION_HANDLE)> prepare = [](CK_SESSION_HANDLE) {};
};

void PrintTo(const Call& call, std::ostream* out) { *out << call.name; }

const std::set<CK_RV> kAny = {
    CKR_OK,         CKR_DEVICE_ERROR,      CKR_DEVICE_MEMORY, CKR_FUNCTION_FAILED,
    CKR_PIN_LOCKED, CKR_MECHANISM_INVALID, CKR_ARGUMENTS_BAD};

CK_OBJECT_HANDLE The(CK_SESSION_HANDLE session, const char* label, CK_OBJECT_CLASS object_class) {
  const auto found = Find(session, {{CKA_LABEL, label}, {CKA_CLASS, object_class}});
  return found.size() == 1 ? found[0] : CK_INVALID_HANDLE;
}

CK_RV Generate(CK_SESSION_HANDLE session, const Attributes& extra) {
  KeyPair pair;
  return TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN,
                         {{CKA_TOKEN, true}, {CKA_EC_PARAMS, P256().params}, {CKA_LABEL, "new"}},
                         Attributes{{CKA_TOKEN, true}, {CKA_LABEL, "new"}}.With(extra), pair);
}

CK_RV SignWith(CK_SESSION_HANDLE session, const char* label) {
  return Try(kSign, session, CKM_ECDSA, The(session, label, CKO_PRIVATE_KEY), Pattern(32));
}

using Session = CK_SESSION_HANDLE;

const std::vector<Call> kCalls = {
    {"Login",
     [](Session s) { return Login(s, CKU_USER, kUserPin); },
     {CKR_PIN_INCORRECT},
     [](Session s) { EXPECT_OK(C_Logout(s)); }},
    {"Sign", [](Session s) { return SignWith(s, "ec"); }},
    {"Decrypt",
     [](Session s) {
       const Bytes cipher =
           Do(kEncrypt, s, CKM_RSA_PKCS, The(s, "rsa", CKO_PUBLIC_KEY), Pattern(9));
       return Try(kDecrypt, s, CKM_RSA_PKCS, The(s, "rsa", CKO_PRIVATE_KEY), cipher);
     },
     {CKR_ENCRYPTED_DATA_INVALID}},
    {"Certify",
     [](Session s) {
       return Try(kSign, s, CertifyMechanism(The(s, "ec", CKO_PRIVATE_KEY)),
                  The(s, "ak", CKO_PRIVATE_KEY), Pattern(9));
     },
     {CKR_DATA_LEN_RANGE}},
    {"Generate", [](Session s) { return Generate(s, {}); }, {CKR_CURVE_NOT_SUPPORTED}},
    {"GenerateAtAHandle",
     [](Session s) { return Generate(s, kPersistent); },
     {CKR_CURVE_NOT_SUPPORTED}},
    {"Import",
     [](Session s) {
       return TryCreate(s, {{CKA_CLASS, CKO_PRIVATE_KEY},
                            {CKA_KEY_TYPE, CKK_EC},
                            {CKA_TOKEN, true},
                            {CKA_LABEL, "new"},
                            {CKA_EC_PARAMS, P256().params},
                            {CKA_VALUE, PadLeft(Bytes{7}, 32)}});
     },
     {CKR_CURVE_NOT_SUPPORTED, CKR_ATTRIBUTE_VALUE_INVALID}},
    {"DestroyAtAHandle",
     [](Session s) { return C_DestroyObject(s, The(s, "new", CKO_PRIVATE_KEY)); },
     {CKR_KEYSCOPE_PARTIAL_DELETE},
     [](Session s) { EXPECT_OK(Generate(s, kPersistent)); }},
};

class TpmFaults : public Torture, public testing::WithParamInterface<Call> {
 protected:
  void SetUp() override {
    Torture::SetUp();
    ASSERT_OK(C_Initialize(nullptr));
    session_ = OpenLoggedIn(kSlot);
    GenerateEc(session_, P256(), {{CKA_TOKEN, true}, {CKA_LABEL, "ec"}});
    GenerateEc(session_, P256(),
               {{CKA_TOKEN, true}, {CKA_LABEL, "ak"}, {CKA_KEYSCOPE_ATTESTATION_KEY, true}},
               {{CKA_TOKEN, true}});
    GenerateRsa(session_, 2048, {{CKA_TOKEN, true}, {CKA_LABEL, "rsa"}},
                {{CKA_TOKEN, true}, {CKA_LABEL, "rsa"}});
  }

  // Nothing is loaded in the TPM, and nothing is there of the last call.
  void Start() {
    for (CK_OBJECT_HANDLE made : Find(session_, {{CKA_LABEL, "new"}})) {
      EXPECT_OK(C_DestroyObject(session_, made));
    }
    GetParam().prepare(session_);
    ReleaseAll();
    ClearLockout();
  }
  // The other slot's last session takes all with it that the TPM holds for this process.
  static void ReleaseAll() { EXPECT_OK(C_CloseSession(Open(kMachineSlot))); }

  void HarmOne(int position, const Harm& harm) {
    SCOPED_TRACE("command " + std::to_string(position) + ", harm " +
                 std::to_string(static_cast<int>(harm.kind)) + ", code " +
                 std::to_string(harm.code));
    Start();
    proxy().Inject(position, harm);
    const CK_RV rv = GetParam().run(session_);
    EXPECT_TRUE(proxy().Injected());
    EXPECT_TRUE(kAny.contains(rv) || GetParam().codes.contains(rv))
        << testing::PrintToString(Code{rv});
    // Where the answer is lost its handle is, too; that takes a resource manager.
    const bool answered = harm.kind == Harm::Kind::Answer || harm.kind == Harm::Kind::CutBefore;
    ReleaseAll();
    EXPECT_LE(TriesUsed(), harm.kind == Harm::Kind::Flip || harm.kind == Harm::Kind::Garbage);
    if (answered) {
      EXPECT_EQ(proxy().LoadedHandles(), std::vector<uint32_t>{});
    } else {
      StopTpm();
      swtpm().Start();
    }
    const CK_RV again = Login(session_, CKU_USER, kUserPin);
    EXPECT_TRUE(again == CKR_OK || again == CKR_USER_ALREADY_LOGGED_IN);
    EXPECT_RV(CKR_OK, SignWith(session_, "ec"));
    EXPECT_OK(C_Logout(session_));
    EXPECT_OK(Login(session_, CKU_USER, kUserPin));
    EXPECT_EQ(PendingErases(kSlot), 0);
  }

  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

TEST_P(TpmFaults, AreToldAndGotOver) {
  const std::vector<Harm> harms = AllHarms();
  Start();
  const int commands = Commands([&] { EXPECT_OK(GetParam().run(session_)); });
  ASSERT_GT(commands, 0);
  const size_t all = harms.size() * static_cast<size_t>(commands);
  const size_t wanted = static_cast<size_t>(HarmsPerJob()) * 8;
  const size_t stride = std::max<size_t>(1, all / wanted);
  size_t done = 0;
  for (size_t n = 0; n < all && !HasFailure(); n += stride, ++done)
    HarmOne(static_cast<int>(n / harms.size()), harms[n % harms.size()]);
  std::cout << done << " of " << all << " faults at " << commands << " commands\n";
}

// What needs no TPM, in another session of the same slot.
void AskWithoutTheTpm() {
  CK_ULONG count = 0;
  EXPECT_OK(C_GetSlotList(CK_TRUE, nullptr, &count));
  EXPECT_NE(TokenFlags(Torture::kSlot) & CKF_TOKEN_INITIALIZED, 0U);
  EXPECT_FALSE(MechanismList(Torture::kSlot).empty());
  CK_SESSION_HANDLE own = CK_INVALID_HANDLE;
  ASSERT_OK(C_OpenSession(Torture::kSlot, kReadWrite, nullptr, nullptr, &own));
  const CK_OBJECT_HANDLE key = The(own, "rsa", CKO_PUBLIC_KEY);
  EXPECT_EQ(GetUlong(own, key, CKA_MODULUS_BITS), 2048U);
  EXPECT_EQ(Do(kDigest, own, CKM_SHA256, CK_INVALID_HANDLE, Pattern(9)).size(), 32U);
  EXPECT_RV(CKR_SIGNATURE_INVALID, Verify(own, CKM_RSA_PKCS, key, Pattern(32), Pattern(256)));
  const CK_OBJECT_HANDLE data = Create(own, {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, true}});
  EXPECT_OK(C_DestroyObject(own, data));
  EXPECT_OK(C_CloseSession(own));
}

// At each command of each call, the answer comes late.
TEST_P(TpmFaults, DelaysAreNobodyElses) {
  Start();
  const int commands = Commands([&] { EXPECT_OK(GetParam().run(session_)); });
  for (int position = 0; position < commands && !HasFailure(); ++position) {
    SCOPED_TRACE("command " + std::to_string(position));
    Start();
    proxy().Inject(position, {Harm::Kind::Hold});
    CK_RV rv = CKR_FUNCTION_CANCELED;
    std::jthread slow([&] { rv = GetParam().run(session_); });
    ASSERT_TRUE(proxy().AwaitHeld());
    AskWithoutTheTpm();
    EXPECT_TRUE(proxy().LetGo()) << "the others waited for the TPM";
    slow.join();
    EXPECT_OK(rv);
  }
  ReleaseAll();
}

INSTANTIATE_TEST_SUITE_P(, TpmFaults, testing::ValuesIn(kCalls),
                         [](const auto& call) { return std::string(call.param.name); });

}  // namespace
}  // namespace keyscope::test
