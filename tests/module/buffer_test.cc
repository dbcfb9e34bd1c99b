// How results are handed out and operations end (sections 5.2 and 5.1.7 to 5.1.9 of version 3.0):
// NULL asks for the size, a short buffer keeps the operation alive, everything else ends it.
#include "tests/module/usual.h"

namespace keyscope::test {
namespace {

struct Case {
  const OperationRow* operation;
  CK_MECHANISM_TYPE mechanism;
  bool padded = false;  // the size asked for is an upper bound
  bool in_parts = true;
};
const Case kCases[] = {
    {&kDigest, CKM_SHA256},
    {&kSign, CKM_ECDSA},
    {&kSign, CKM_ECDSA_SHA256},
    {&kSign, CKM_SHA256_RSA_PKCS},
    {&kSign, CKM_RSA_PKCS},
    {&kSign, CKM_SHA256_HMAC},
    {&kSign, CKM_AES_CMAC},
    {&kSignRecover, CKM_RSA_PKCS, false, false},
    {&kVerifyRecover, CKM_RSA_PKCS, true, false},
    {&kEncrypt, CKM_RSA_PKCS},
    {&kEncrypt, CKM_AES_CBC},
    {&kEncrypt, CKM_AES_CBC_PAD},
    {&kEncrypt, CKM_AES_GCM},
    {&kEncrypt, CKM_AES_KEY_WRAP, true},
    {&kDecrypt, CKM_RSA_PKCS, true},
    {&kDecrypt, CKM_RSA_X_509},
    {&kDecrypt, CKM_AES_CBC},
    {&kDecrypt, CKM_AES_CBC_PAD, true},
    {&kDecrypt, CKM_AES_GCM},
};

class Buffers : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    keys = std::make_unique<UsualKeys>(session);
  }

  // Puts the case in place and starts its operation.
  void Start(const Case& which) {
    const KeyPair pair = keys->For(which.mechanism);
    mechanism = std::make_unique<Mechanism>(Usual(which.mechanism));
    const bool reverse = which.operation == &kDecrypt || which.operation == &kVerifyRecover;
    const bool with_public = which.operation == &kEncrypt || which.operation == &kVerifyRecover;
    key = with_public ? pair.public_key : pair.private_key;
    input = Pattern(32);
    if (reverse)
      input = Do(which.operation == &kDecrypt ? kEncrypt : kSignRecover, session, *mechanism,
                 with_public ? pair.private_key : pair.public_key, input);
    operation = which.operation;
    ASSERT_OK(operation->init(session, mechanism->get(), key));
  }
  CK_RV Once(CK_BYTE* out, CK_ULONG* size) {
    return operation->once(session, input.data(), input.size(), out, size);
  }
  void ExpectEnded() {
    Bytes room(1024);
    CK_ULONG size = room.size();
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, Once(room.data(), &size));
    EXPECT_OK(operation->init(session, mechanism->get(), key)) << "and a new one can begin";
    EXPECT_OK(operation->init(session, nullptr, key)) << "NULL ends an operation (version 3.0)";
  }

  template <typename Test>
  void ForEachCase(Test test) {
    for (const Case& which : kCases) {
      SCOPED_TRACE(testing::Message()
                   << which.operation->name << " mechanism 0x" << std::hex << which.mechanism);
      Start(which);
      if (HasFatalFailure()) return;
      test(which);
    }
  }

  std::unique_ptr<UsualKeys> keys;
  std::unique_ptr<Mechanism> mechanism;
  const OperationRow* operation = nullptr;
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  Bytes input;
};

TEST_F(Buffers, AskThenTooShortThenRight) {
  ForEachCase([&](const Case& which) {
    CK_ULONG bound = 0;
    ASSERT_OK(Once(nullptr, &bound));
    ASSERT_GT(bound, 0U);
    Bytes result(bound);
    for (CK_ULONG room : {CK_ULONG{0}, CK_ULONG{1}, CK_ULONG{15}}) {
      CK_ULONG size = room;
      EXPECT_RV(CKR_BUFFER_TOO_SMALL, Once(result.data(), &size)) << room;
      EXPECT_GT(size, room);
      EXPECT_LE(size, bound);
    }
    CK_ULONG size = 0;
    EXPECT_RV(CKR_BUFFER_TOO_SMALL, Once(result.data(), &size));
    EXPECT_TRUE(which.padded || size == bound) << size << " of " << bound;
    Bytes exact(size);
    ASSERT_OK(Once(exact.data(), &size));
    EXPECT_EQ(size, exact.size());
    ExpectEnded();
  });
}

TEST_F(Buffers, FinalAsksAndTellsToo) {
  ForEachCase([&](const Case& which) {
    if (!which.in_parts) {
      EXPECT_OK(C_SessionCancel(session, operation->flag));
      return;
    }
    Bytes room(1024), result;
    CK_ULONG size = room.size();
    ASSERT_OK(operation->update(session, input.data(), input.size(), room.data(), &size));
    Append(result, ByteView(room).first(size));
    CK_ULONG bound = 0;
    ASSERT_OK(operation->final(session, nullptr, &bound));
    if (bound != 0) {
      size = 0;
      const CK_RV rv = operation->final(session, room.data(), &size);
      EXPECT_TRUE(rv == CKR_BUFFER_TOO_SMALL || (which.padded && rv == CKR_OK)) << rv;
      EXPECT_LE(size, bound);
      if (rv == CKR_OK) return;  // nothing was left
    }
    size = room.size();
    ASSERT_OK(operation->final(session, room.data(), &size));
    Append(result, ByteView(room).first(size));
    ExpectEnded();
    if (operation == &kDecrypt) {
      EXPECT_EQ(Bytes(result.end() - 32, result.end()), Pattern(32));
    }
  });
}

TEST_F(Buffers, UpdateIsTooShortAndGoesOn) {
  for (CK_MECHANISM_TYPE type : {CKM_AES_CBC, CKM_AES_ECB, CKM_AES_CTR, CKM_AES_GCM}) {
    Start({&kEncrypt, type});
    Bytes room(32);
    CK_ULONG size = 0;
    ASSERT_OK(C_EncryptUpdate(session, input.data(), 32, nullptr, &size));
    EXPECT_EQ(size, 32U);
    size = 31;
    EXPECT_RV(CKR_BUFFER_TOO_SMALL, C_EncryptUpdate(session, input.data(), 32, room.data(), &size));
    EXPECT_EQ(size, 32U);
    EXPECT_OK(C_EncryptUpdate(session, input.data(), 32, room.data(), &size));
    Bytes end(16);
    size = end.size();
    EXPECT_OK(C_EncryptFinal(session, end.data(), &size));
  }
}

TEST_F(Buffers, ANullLengthEndsIt) {
  ForEachCase([&](const Case&) {
    Bytes room(1024);
    EXPECT_RV(CKR_ARGUMENTS_BAD, Once(room.data(), nullptr));
    ExpectEnded();
  });
  ForEachCase([&](const Case& which) {
    Bytes room(1024);
    EXPECT_RV(CKR_ARGUMENTS_BAD, which.in_parts ? operation->final(session, room.data(), nullptr)
                                                : Once(room.data(), nullptr));
    ExpectEnded();
  });
}

TEST_F(Buffers, BadInputEndsIt) {
  ForEachCase([&](const Case& which) {
    Bytes room(1024);
    CK_ULONG size = room.size();
    EXPECT_RV(CKR_ARGUMENTS_BAD, operation->once(session, nullptr, 8, room.data(), &size));
    ExpectEnded();
    for (CK_ULONG absurd : {~CK_ULONG{0}, ~CK_ULONG{0} - 15, CK_ULONG{1} << 63}) {
      Start(which);
      EXPECT_RV(CKR_ARGUMENTS_BAD,
                operation->once(session, input.data(), absurd, room.data(), &size));
      ExpectEnded();
      if (!which.in_parts) continue;
      Start(which);
      EXPECT_RV(CKR_ARGUMENTS_BAD,
                operation->update(session, input.data(), absurd, room.data(), &size));
      ExpectEnded();
    }
  });
}

TEST_F(Buffers, OneShotAfterPartsIsRefused) {
  ForEachCase([&](const Case& which) {
    Bytes room(1024);
    CK_ULONG size = room.size();
    if (which.in_parts) {
      ASSERT_OK(operation->update(session, input.data(), input.size(), room.data(), &size));
      size = room.size();
      EXPECT_RV(CKR_OPERATION_ACTIVE, Once(room.data(), &size));
      ExpectEnded();
    } else {
      EXPECT_OK(C_SessionCancel(session, operation->flag));
    }
  });
}

TEST_F(Buffers, PartsAfterAFinalThatWasTooShort) {
  ForEachCase([&](const Case& which) {
    Bytes room(1024);
    CK_ULONG size = room.size();
    if (which.in_parts) {
      ASSERT_OK(operation->update(session, input.data(), input.size(), room.data(), &size));
      size = 0;
      operation->final(session, room.data(), &size);
      size = room.size();
      operation->update(session, input.data(), input.size(), room.data(), &size);  // no crash
      size = room.size();
      operation->final(session, room.data(), &size);
    }
    C_SessionCancel(session, operation->flag);
    ExpectEnded();
  });
}

TEST_F(Buffers, FinalWithoutPartsIsTheEmptyMessage) {
  const std::pair<const OperationRow*, CK_MECHANISM_TYPE> empty[] = {{&kDigest, CKM_SHA256},
                                                                     {&kSign, CKM_SHA256_HMAC},
                                                                     {&kSign, CKM_AES_CMAC},
                                                                     {&kSign, CKM_SHA256_RSA_PKCS},
                                                                     {&kEncrypt, CKM_AES_CBC_PAD}};
  for (auto [row, type] : empty) {
    const Mechanism with = Usual(type);
    const CK_OBJECT_HANDLE object = keys->For(type).private_key;
    EXPECT_EQ(DoInParts(*row, session, with, object, {}, 1), Do(*row, session, with, object, {}))
        << type;
  }
}

TEST_F(Buffers, OneOperationOfAKindAtATime) {
  ForEachCase([&](const Case&) {
    EXPECT_RV(CKR_OPERATION_ACTIVE, operation->init(session, mechanism->get(), key));
    Bytes room(1024);
    CK_ULONG size = room.size();
    EXPECT_OK(Once(room.data(), &size)) << "the first one goes on";
  });
}

TEST_F(Buffers, NothingWithoutInit) {
  Bytes room(1024);
  CK_ULONG size;
  for (const OperationRow* row :
       {&kDigest, &kEncrypt, &kDecrypt, &kSign, &kSignRecover, &kVerifyRecover}) {
    SCOPED_TRACE(row->name);
    size = room.size();
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
              row->once(session, room.data(), 16, room.data(), &size));
    EXPECT_RV(CKR_ARGUMENTS_BAD, row->init(session, nullptr, 0));
    if (row->update == nullptr) continue;
    size = room.size();
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
              row->update(session, room.data(), 16, room.data(), &size));
    size = room.size();
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, row->final(session, room.data(), &size));
  }
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_Verify(session, room.data(), 16, room.data(), 16));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_VerifyUpdate(session, room.data(), 16));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_VerifyFinal(session, room.data(), 16));
}

TEST_F(Buffers, AVerificationEndsWhateverItSays) {
  const CK_OBJECT_HANDLE mac = keys->For(CKM_SHA256_HMAC).private_key;
  const Mechanism hmac(CKM_SHA256_HMAC);
  Bytes data = Pattern(20), right = Do(kSign, session, hmac, mac, data), wrong = Pattern(32);
  auto expect_ends = [&](CK_RV expected, CK_BYTE* signature, CK_ULONG size) {
    ASSERT_OK(C_VerifyInit(session, hmac.get(), mac));
    EXPECT_RV(expected, C_Verify(session, data.data(), data.size(), signature, size));
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_VerifyUpdate(session, data.data(), 1));
  };
  expect_ends(CKR_OK, right.data(), 32);
  expect_ends(CKR_SIGNATURE_INVALID, wrong.data(), 32);
  expect_ends(CKR_SIGNATURE_LEN_RANGE, right.data(), 31);
  expect_ends(CKR_ARGUMENTS_BAD, nullptr, 32);
  expect_ends(CKR_ARGUMENTS_BAD, right.data(), ~CK_ULONG{0});
}

TEST_F(Buffers, CancelEndsWhatItNames) {
  Start({&kSign, CKM_ECDSA});
  Start({&kDigest, CKM_SHA256});
  ASSERT_OK(C_FindObjectsInit(session, nullptr, 0));
  ASSERT_OK(C_SessionCancel(session, CKF_SIGN));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_SignUpdate(session, input.data(), 1));
  EXPECT_OK(C_DigestUpdate(session, input.data(), 1));
  ASSERT_OK(C_SessionCancel(session, ~CK_FLAGS{0}));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_DigestUpdate(session, input.data(), 1));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_FindObjectsFinal(session));
}

TEST_F(Buffers, StatesCannotBeSaved) {
  CK_ULONG size = 0;
  EXPECT_RV(CKR_STATE_UNSAVEABLE, C_GetOperationState(session, nullptr, &size));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GetOperationState(session, nullptr, nullptr));
  CK_BYTE state[8] = {};
  EXPECT_RV(CKR_SAVED_STATE_INVALID, C_SetOperationState(session, state, 8, 0, 0));
  EXPECT_RV(CKR_FUNCTION_NOT_PARALLEL, C_GetFunctionStatus(session));
  EXPECT_RV(CKR_FUNCTION_NOT_PARALLEL, C_CancelFunction(session));
}

}  // namespace
}  // namespace keyscope::test
