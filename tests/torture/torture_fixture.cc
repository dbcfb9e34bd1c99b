#include "tests/torture/torture_fixture.h"

#include <cstdlib>

namespace keyscope::test {
namespace {

// PINs end in their number; those of the fixture are the first.
CK_RV LoginWith(CK_SESSION_HANDLE session, CK_USER_TYPE user, int number) {
  std::string pin(user == CKU_SO ? kSoPin : kUserPin);
  pin.back() = static_cast<char>('0' + number);
  return Login(session, user, pin);
}

// The number of the PIN that opens; 0: there is none yet.
int LoginAs(CK_SESSION_HANDLE session, CK_USER_TYPE user) {
  for (int number : {1, 2}) {
    const CK_RV rv = LoginWith(session, user, number);
    if (rv == CKR_OK) return number;
    if (rv == CKR_USER_PIN_NOT_INITIALIZED) return 0;
    EXPECT_RV(CKR_PIN_INCORRECT, rv);
  }
  ADD_FAILURE() << "no PIN opens the token";
  return 0;
}

std::string Describe(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  const std::string label = AsString(Get(session, object, CKA_LABEL));
  switch (GetUlong(session, object, CKA_CLASS)) {
    case CKO_DATA:
      return "data " + label;
    case CKO_PUBLIC_KEY:
      return "public " + label;
    case CKO_PRIVATE_KEY:
      break;
    default:
      return "another " + label;
  }
  std::string line = "private " + label;
  const Bytes id = Get(session, object, CKA_ID);
  const auto halves = Find(session, {{CKA_CLASS, CKO_PUBLIC_KEY}, {CKA_ID, id}});
  if (halves.size() != 1) return line + " without its public half";
  const Bytes signature = Do(kSign, session, CKM_ECDSA, object, Pattern(32));
  if (Verify(session, CKM_ECDSA, halves[0], Pattern(32), signature) == CKR_OK) line += " signs";
  if (GetBool(session, object, CKA_KEYSCOPE_PERSISTENT)) line += " at a handle";
  return line;
}

void DestroyAllBut(const char* label, CK_SESSION_HANDLE session) {
  for (CK_OBJECT_HANDLE object : Find(session, {{CKA_TOKEN, true}}))
    if (AsString(Get(session, object, CKA_LABEL)) != label) {
      EXPECT_OK(C_DestroyObject(session, object));
    }
}

}  // namespace

int HarmsPerJob() {
  const char* asked = std::getenv("KEYSCOPE_HARMS");
  return asked != nullptr ? std::atoi(asked) : 4;
}

void Torture::SetUp() {
  Attestation::SetUp();
  ASSERT_OK(C_Finalize(nullptr));
}

void Torture::TearDown() {
  C_Finalize(nullptr);
  StopTpm();
  swtpm().Start();
  Attestation::TearDown();
}

void Torture::Prepare(const Job& job) {
  ClearLockout();
  EXPECT_OK(C_Initialize(nullptr));
  if ((TokenFlags(kSlot) & CKF_TOKEN_INITIALIZED) == 0) {
    EXPECT_OK(InitToken(kSlot));
  }
  const CK_SESSION_HANDLE session = Open(kSlot);
  if (LoginAs(session, CKU_SO) == 2) {
    const std::string_view last = "so-pin-2";
    EXPECT_OK(C_SetPIN(session, Mutable(last), last.size(), Mutable(kSoPin), kSoPin.size()));
  }
  EXPECT_OK(C_InitPIN(session, Mutable(kUserPin), kUserPin.size()));
  EXPECT_OK(C_Logout(session));
  EXPECT_OK(Login(session, CKU_USER, kUserPin));
  DestroyAllBut("kept", session);
  const Attributes kept{{CKA_TOKEN, true}, {CKA_LABEL, "kept"}, {CKA_ID, "kept"}};
  if (Find(session, kept).empty()) GenerateEc(session, P256(), kept, kept);
  job.prepare(session);
  EXPECT_OK(C_Finalize(nullptr));
  ClearLockout();
}

Picture Torture::Look() {
  EXPECT_EQ(TriesUsed(), 0U) << "of the dictionary-attack protection";
  Picture picture;
  EXPECT_OK(C_Initialize(nullptr));
  if ((TokenFlags(kSlot) & CKF_TOKEN_INITIALIZED) == 0) {
    EXPECT_OK(C_Finalize(nullptr));
    return {"no token"};
  }
  const CK_SESSION_HANDLE session = Open(kSlot);
  picture.insert("SO PIN " + std::to_string(LoginAs(session, CKU_SO)));
  EXPECT_OK(C_Logout(session));
  const int number = LoginAs(session, CKU_USER);
  picture.insert(number == 0 ? "no user PIN" : "user PIN " + std::to_string(number));
  size_t at_handles = 0;
  for (CK_OBJECT_HANDLE object : Find(session, {{CKA_TOKEN, true}})) {
    const std::string line = Describe(session, object);
    at_handles += line.ends_with("at a handle") ? 1 : 0;
    picture.insert(line);
  }
  EXPECT_OK(C_Finalize(nullptr));
  EXPECT_EQ(PendingErases(kSlot), 0);
  EXPECT_EQ(PersistentHandles().size(), at_handles);
  return picture;
}

void Harmed::SetUp() {
  Torture::SetUp();
  Prepare(GetParam());
  before_ = after_ = Look();
  GetParam().change(after_);
  Prepare(GetParam());
  const Told whole = Run(GetParam(), {.way = Way::Count});
  ASSERT_OK(whole.rv);
  ASSERT_EQ(Look(), after_);
  steps_ = whole.steps;
}

}  // namespace keyscope::test
