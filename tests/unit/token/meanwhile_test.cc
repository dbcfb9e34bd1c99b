// What another process, or another thread, does while a call is at the device: nobody is told that
// a thing is done which is not. On the fake backend, with a real store.
#include <gtest/gtest.h>

#include "p11/cryptoki.h"
#include "tests/fakes/fake_backend.h"
#include "tests/module/attributes.h"
#include "tests/unit/p11/environment.h"
#include "tests/unit/token/rv_of.h"
#include "token/session.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

using test::Attributes;
using test::Op;

// A process: a token of the one store, and a session with it.
struct Process {
  Process(const std::shared_ptr<test::FakeBackend>& device, const std::string& path)
      : token(KeyScope::User, 1, device, path),
        session(token, 1, CKF_SERIAL_SESSION | CKF_RW_SESSION) {}
  ~Process() { session.Close(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Init(std::string_view so_pin, std::string_view pin) {
    token.InitToken(In(so_pin), Bytes(32, ' '));
    session.Login(CKU_SO, In(so_pin));
    session.InitPin(In(pin));
    session.Logout();
  }
  CK_RV Login(std::string_view pin, CK_USER_TYPE user = CKU_USER) {
    return RvOf([&] { session.Login(user, In(pin)); });
  }
  CK_OBJECT_HANDLE Generate(bool is_token, bool is_private) {
    Attributes public_half{{CKA_EC_PARAMS, Bytes{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}};
    Attributes private_half{{CKA_TOKEN, is_token}, {CKA_PRIVATE, is_private}};
    const CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    return session
        .GenerateKeyPair(mechanism, {public_half.data(), public_half.size()},
                         {private_half.data(), private_half.size()})
        .second;
  }
  size_t PrivateKeys() {
    Attributes wanted{{CKA_CLASS, CKO_PRIVATE_KEY}};
    session.FindInit({wanted.data(), wanted.size()});
    CK_OBJECT_HANDLE found[10];
    const size_t count = session.Find(found);
    session.FindFinal();
    return count;
  }

  Token token;
  Session session;
};

class Meanwhile : public testing::Test {
 protected:
  const p11::test::TempFolder folder_;
  const std::shared_ptr<test::FakeBackend> device_ = std::make_shared<test::FakeBackend>();
  Process a_{device_, folder_ / "user.db"}, b_{device_, folder_ / "user.db"};
};

TEST_F(Meanwhile, APinIsChangedTwice) {
  a_.Init("so-pin", "first");
  device_->Meanwhile(Op::Seal, [this] { b_.session.SetPin(In("first"), In("second")); });
  EXPECT_EQ(RvOf([&] { a_.session.SetPin(In("first"), In("third")); }), CKR_PIN_INCORRECT);
  EXPECT_EQ(a_.Login("second"), CKR_OK);
}

TEST_F(Meanwhile, AnotherMakesTheToken) {
  device_->Meanwhile(Op::Seal, [this] { b_.Init("their-so", "theirs"); });
  EXPECT_EQ(RvOf([&] { a_.token.InitToken(In("my-so"), Bytes(32, ' ')); }), CKR_PIN_INCORRECT);
  EXPECT_EQ(a_.Login("theirs"), CKR_OK);
  a_.session.Logout();
  device_->Meanwhile(Op::Seal, [this] { b_.Init("their-so", "newer"); });
  EXPECT_EQ(RvOf([&] { a_.token.InitToken(In("their-so"), Bytes(32, ' ')); }), CKR_OK)
      << "who knows the SO PIN may do it again";
  EXPECT_EQ(a_.Login("newer"), CKR_USER_PIN_NOT_INITIALIZED);
}

TEST_F(Meanwhile, ATokenMadeAnewKeepsNothingThatIsSealedUnderTheOld) {
  for (std::string_view pin : {"pin1", ""})
    for (bool is_private : {true, false}) {
      a_.Init("so-pin", pin);
      EXPECT_TRUE(pin.empty() || a_.Login(pin) == CKR_OK);
      a_.Generate(true, is_private);
      device_->Meanwhile(Op::Create, [&] { b_.Init("so-pin", pin); });
      EXPECT_NE(RvOf([&] { a_.Generate(true, is_private); }), CKR_OK);
      EXPECT_TRUE(pin.empty() || a_.Login(pin) == CKR_OK);
      EXPECT_EQ(a_.PrivateKeys(), 0U);
      EXPECT_NE(a_.Generate(true, is_private), CK_INVALID_HANDLE);
      if (!pin.empty()) a_.session.Logout();
    }
}

TEST_F(Meanwhile, PrivateSessionObjectsEndWithTheLoginThatSawThem) {
  a_.Init("so-pin", "pin1");
  ASSERT_EQ(a_.Login("pin1"), CKR_OK);
  const CK_OBJECT_HANDLE key = a_.Generate(false, true);
  EXPECT_EQ(a_.PrivateKeys(), 1U);
  b_.Init("so-pin", "pin2");
  EXPECT_EQ(a_.Login("pin2"), CKR_OK) << "the old login has ended";
  EXPECT_EQ(a_.PrivateKeys(), 0U);
  EXPECT_EQ(RvOf([&] { a_.session.ObjectSize(key); }), CKR_OBJECT_HANDLE_INVALID);
}

TEST_F(Meanwhile, ALogoutEndsThePrivateKeyThatIsBeingMade) {
  a_.Init("so-pin", "pin1");
  for (bool is_token : {true, false}) {
    ASSERT_EQ(a_.Login("pin1"), CKR_OK);
    device_->Meanwhile(Op::Create, [this] { a_.session.Logout(); });
    EXPECT_EQ(RvOf([&] { a_.Generate(is_token, true); }), CKR_USER_NOT_LOGGED_IN);
    ASSERT_EQ(a_.Login("pin1"), CKR_OK);
    EXPECT_EQ(a_.PrivateKeys(), 0U);
    a_.session.Logout();
  }
}

}  // namespace
}  // namespace keyscope::token
