// Making and deleting keys with each fault that a device can have: on the fake backend, with a real
// store. What the TPM itself does with lost commands is in tests/attestation.
#include <gtest/gtest.h>

#include "p11/cryptoki.h"
#include "p11/keyscope.h"
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

constexpr Fault kFaults[] = {
    Fault::AuthFailed, Fault::LockedOut,      Fault::KeyGone,  Fault::Busy,       Fault::NoSpace,
    Fault::Corrupt,    Fault::Unsupported,    Fault::BadInput, Fault::DeviceGone, Fault::ReadOnly,
    Fault::Denied,     Fault::PolicyMismatch, Fault::Internal};
constexpr uint32_t kFirstHandle = 0x81008000;

class DeletionWithFaults : public testing::Test {
 protected:
  void SetUp() override {
    token_.InitToken(In("so-pin"), Bytes(32, ' '));
    session_ = std::make_unique<Session>(token_, 1, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    session_->Login(CKU_SO, In("so-pin"));
    session_->InitPin(In("user-pin"));
    session_->Logout();
    session_->Login(CKU_USER, In("user-pin"));
  }
  void TearDown() override { session_->Close(); }

  CK_OBJECT_HANDLE Make(bool persistent, bool ak = false) {
    Attributes public_half{{CKA_TOKEN, false},
                           {CKA_EC_PARAMS, Bytes{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}};
    Attributes private_half{{CKA_TOKEN, true},
                            {CKA_KEYSCOPE_PERSISTENT, persistent},
                            {CKA_KEYSCOPE_ATTESTATION_KEY, ak}};
    const CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    return session_
        ->GenerateKeyPair(mechanism, {public_half.data(), public_half.size()},
                          {private_half.data(), private_half.size()})
        .second;
  }
  CK_RV Destroy(CK_OBJECT_HANDLE key) {
    return RvOf([&] { session_->DestroyObject(key); });
  }
  void LoginAgain() {
    session_->Logout();
    session_->Login(CKU_USER, In("user-pin"));
  }
  size_t Pending() { return store_.PendingErases().size(); }
  uint32_t Held() { return fake_->FreePersistentHandle() - kFirstHandle; }

  const p11::test::TempFolder folder_;
  const std::shared_ptr<test::FakeBackend> fake_ = std::make_shared<test::FakeBackend>();
  Token token_{KeyScope::User, 1, fake_, folder_ / "user.db"};
  store::ObjectStore store_{folder_ / "user.db", KeyScope::User};
  std::unique_ptr<Session> session_;
};

TEST_F(DeletionWithFaults, WhateverErasingSaysTheRecordIsGone) {
  for (Fault fault : kFaults) {
    SCOPED_TRACE(Name(fault));
    const CK_OBJECT_HANDLE key = Make(true);
    EXPECT_EQ(Held(), 1U);
    fake_->FailNext(Op::Erase, fault);
    EXPECT_EQ(Destroy(key), CKR_KEYSCOPE_PARTIAL_DELETE);
    EXPECT_EQ(Destroy(key), CKR_OBJECT_HANDLE_INVALID);
    EXPECT_EQ(store_.Count(), 0);
    EXPECT_EQ(Pending(), 1U);
    EXPECT_EQ(Held(), 1U);
    fake_->FailNext(Op::Erase, fault);  // and once more
    LoginAgain();
    EXPECT_EQ(Pending(), 1U);
    LoginAgain();
    EXPECT_EQ(Pending(), 0U);
    EXPECT_EQ(Held(), 0U);
  }
}

TEST_F(DeletionWithFaults, WithTheDeviceGoneOrCleared) {
  const CK_OBJECT_HANDLE ordinary = Make(false), persistent = Make(true), ak = Make(false, true);
  fake_->SetGone(true);
  EXPECT_EQ(Destroy(ordinary), CKR_OK);
  EXPECT_EQ(Destroy(ak), CKR_OK);
  EXPECT_EQ(Destroy(persistent), CKR_KEYSCOPE_PARTIAL_DELETE);
  EXPECT_EQ(store_.Count(), 0);
  fake_->SetGone(false);
  Make(false);  // the device is at work again
  EXPECT_EQ(Pending(), 0U);
  EXPECT_EQ(Held(), 0U);

  const CK_OBJECT_HANDLE lost = Make(true);
  fake_->Clear();
  EXPECT_EQ(Destroy(lost), CKR_OK) << "there is nothing left to erase";
  EXPECT_EQ(Pending(), 0U);
}

// Another process that logs in meanwhile must not take the new key for a remnant; a dead maker's is
// one.
TEST_F(DeletionWithFaults, ALoginElsewhereLeavesAKeyThatIsBeingMade) {
  Token other(KeyScope::User, 1, fake_, folder_ / "user.db");
  Session elsewhere(other, 1, CKF_SERIAL_SESSION | CKF_RW_SESSION);
  store::PendingErase note{.uid = Bytes(16, 7),
                           .scope = KeyScope::User,
                           .handle = kFirstHandle,
                           .name = Bytes(34, 1),
                           .reason = store::kUnfinished};
  {
    const auto making = store_.BeginMaking();
    store_.NotePendingErase(note);
    elsewhere.Login(CKU_USER, In("user-pin"));
    EXPECT_EQ(Pending(), 1U);
    EXPECT_EQ(store_.ErasesDue().size(), 0U);
    elsewhere.Logout();
  }
  EXPECT_EQ(store_.ErasesDue().size(), 1U);
  elsewhere.Login(CKU_USER, In("user-pin"));
  EXPECT_EQ(Pending(), 0U);
  elsewhere.Close();
  EXPECT_NE(Make(true), CK_INVALID_HANDLE);
  EXPECT_EQ(store_.ErasesDue().size(), 0U);
}

// Making fails as a whole, or not at all.
TEST_F(DeletionWithFaults, AMakingThatFailsLeavesNothing) {
  for (Op op : {Op::CreateAttested, Op::FreePersistentHandle, Op::Persist})
    for (Fault fault : kFaults) {
      SCOPED_TRACE(Name(fault));
      fake_->FailNext(op, fault);
      CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
      const CK_RV rv = RvOf([&] { key = Make(true, true); });
      if (rv == CKR_OK) {
        EXPECT_EQ(fault, Fault::Busy) << "the one that another handle gets over";
        EXPECT_EQ(Destroy(key), CKR_OK);
      }
      EXPECT_EQ(store_.Count(), 0);
      EXPECT_EQ(Pending(), 0U);
      EXPECT_EQ(Held(), 0U);
    }
  // When the erasing fails, too, the note of it stays until it is done.
  fake_->FailNext(Op::Persist, Fault::DeviceGone);
  fake_->FailNext(Op::Erase, Fault::DeviceGone);
  EXPECT_EQ(RvOf([&] { Make(true); }), CKR_DEVICE_ERROR);
  EXPECT_EQ(store_.Count(), 0);
  EXPECT_EQ(Pending(), 1U);
  LoginAgain();
  EXPECT_EQ(Pending(), 0U);
}

}  // namespace
}  // namespace keyscope::token
