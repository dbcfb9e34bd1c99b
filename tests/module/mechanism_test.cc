// The mechanism list keeps its promises, and what is not in it does not work.
#include <algorithm>

#include "tests/module/openssl.h"
#include "tests/module/usual.h"

namespace keyscope::test {
namespace {

struct UseRow {
  CK_FLAGS flag;
  CK_RV (*init)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
};
const UseRow kInits[] = {{CKF_DIGEST, kDigest.init},
                         {CKF_ENCRYPT, C_EncryptInit},
                         {CKF_DECRYPT, C_DecryptInit},
                         {CKF_SIGN, C_SignInit},
                         {CKF_VERIFY, C_VerifyInit},
                         {CKF_SIGN_RECOVER, C_SignRecoverInit},
                         {CKF_VERIFY_RECOVER, C_VerifyRecoverInit}};

class Mechanisms : public LoggedIn {
 protected:
  // The specification's: the module's own have tests of their own.
  static std::vector<CK_MECHANISM_TYPE> Standard() {
    std::vector<CK_MECHANISM_TYPE> types = MechanismList();
    std::erase_if(types, [](CK_MECHANISM_TYPE type) { return type >= CKM_VENDOR_DEFINED; });
    return types;
  }
  static CK_MECHANISM_INFO InfoOf(CK_MECHANISM_TYPE type) {
    CK_MECHANISM_INFO info{};
    EXPECT_OK(C_GetMechanismInfo(kMachineSlot, type, &info)) << type;
    return info;
  }
  // What generates, derives, wraps and unwraps, each with that mechanism.
  std::vector<std::pair<CK_FLAGS, CK_RV>> MakeKeys(const Mechanism& mechanism,
                                                   const KeyPair& keys) {
    Attributes pair_template = mechanism.type() == CKM_EC_KEY_PAIR_GEN
                                   ? Attributes{{CKA_EC_PARAMS, P256().params}}
                                   : Attributes{{CKA_MODULUS_BITS, 2048}};
    Attributes secret{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_VALUE_LEN, 16}};
    Attributes unwrapped{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_GENERIC_SECRET}};
    const CK_OBJECT_HANDLE wrapped = ImportSecret(session, Pattern(16));
    Bytes room(1024);
    CK_ULONG size = room.size();
    KeyPair made;
    CK_OBJECT_HANDLE key;
    const CK_RV wraps =
        C_WrapKey(session, mechanism.get(), keys.public_key, wrapped, room.data(), &size);
    const CK_RV unwraps = C_UnwrapKey(session, mechanism.get(), keys.private_key, room.data(), size,
                                      unwrapped.data(), unwrapped.size(), &key);
    return {
        {CKF_WRAP, wraps},
        {CKF_UNWRAP, unwraps},
        {CKF_GENERATE_KEY_PAIR, TryGeneratePair(session, mechanism, pair_template, {}, made)},
        {CKF_GENERATE, C_GenerateKey(session, mechanism.get(), secret.data(), secret.size(), &key)},
        {CKF_DERIVE, C_DeriveKey(session, mechanism.get(), keys.private_key, secret.data(),
                                 secret.size(), &key)}};
  }
};

TEST_F(Mechanisms, AListOfTheUsualSize) {
  CK_ULONG count = 0;
  ASSERT_OK(C_GetMechanismList(kMachineSlot, nullptr, &count));
  std::vector<CK_MECHANISM_TYPE> types(count - 1);
  CK_ULONG room = types.size();
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, C_GetMechanismList(kMachineSlot, types.data(), &room));
  EXPECT_EQ(room, count);
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GetMechanismList(kMachineSlot, types.data(), nullptr));
  EXPECT_RV(CKR_SLOT_ID_INVALID, C_GetMechanismList(2, nullptr, &count));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GetMechanismInfo(kMachineSlot, CKM_SHA256, nullptr));
  types = MechanismList();
  std::ranges::sort(types);
  EXPECT_EQ(std::ranges::adjacent_find(types), types.end());
  EXPECT_EQ(MechanismList(kUserSlot).size(), types.size());
}

TEST_F(Mechanisms, EveryFlagIsTrueAndEveryOtherUseRefused) {
  const UsualKeys keys(session);
  for (CK_MECHANISM_TYPE type : Standard()) {
    SCOPED_TRACE(testing::Message() << "mechanism 0x" << std::hex << type);
    const CK_FLAGS flags = InfoOf(type).flags;
    const Mechanism mechanism = Usual(type, keys.point());
    const KeyPair pair = keys.For(type);
    CK_FLAGS tried = 0;
    for (const UseRow& use : kInits) {
      tried |= use.flag;
      const bool with_public = (use.flag & (CKF_ENCRYPT | CKF_VERIFY | CKF_VERIFY_RECOVER)) != 0;
      EXPECT_RV(
          (flags & use.flag) != 0 ? CKR_OK : CKR_MECHANISM_INVALID,
          use.init(session, mechanism.get(), with_public ? pair.public_key : pair.private_key))
          << "flag " << use.flag;
    }
    EXPECT_OK(C_SessionCancel(session, tried));
    for (auto [flag, rv] : MakeKeys(mechanism, pair)) {
      tried |= flag;
      EXPECT_RV((flags & flag) != 0 ? CKR_OK : CKR_MECHANISM_INVALID, rv) << "flag " << flag;
    }
    EXPECT_NE(flags & tried, 0U) << "of no use";
  }
}

TEST_F(Mechanisms, WhatIsNotInTheListDoesNotExist) {
  const std::vector<CK_MECHANISM_TYPE> listed = MechanismList();
  const KeyPair keys{ImportAes(session, Pattern(16)), ImportAes(session, Pattern(16))};
  std::vector<CK_MECHANISM_TYPE> all = {~CK_ULONG{0}, CKM_VENDOR_DEFINED, CKM_VENDOR_DEFINED + 1};
  for (CK_MECHANISM_TYPE type = 0; type < 0x2200; ++type) all.push_back(type);
  for (CK_MECHANISM_TYPE type = 0x4000; type < 0x4100; ++type) all.push_back(type);
  for (CK_MECHANISM_TYPE type : all) {
    if (std::ranges::find(listed, type) != listed.end()) continue;
    SCOPED_TRACE(testing::Message() << "mechanism 0x" << std::hex << type);
    CK_MECHANISM_INFO info;
    EXPECT_RV(CKR_MECHANISM_INVALID, C_GetMechanismInfo(kMachineSlot, type, &info));
    const Mechanism mechanism(type, Pattern(16));
    for (const UseRow& use : kInits)
      EXPECT_RV(CKR_MECHANISM_INVALID, use.init(session, mechanism.get(), keys.public_key));
  }
  for (CK_MECHANISM_TYPE type : {CKM_DES3_CBC, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_DSA, ~CK_ULONG{0}})
    for (auto [flag, rv] : MakeKeys(type, keys)) EXPECT_RV(CKR_MECHANISM_INVALID, rv) << flag;
}

TEST_F(Mechanisms, OtherRsaSizesThereAreNone) {
  const CK_MECHANISM_INFO info = InfoOf(CKM_RSA_PKCS_KEY_PAIR_GEN);
  KeyPair pair;
  for (CK_ULONG bits : {CK_ULONG{0}, info.ulMinKeySize - 8, info.ulMaxKeySize + 8, ~CK_ULONG{0}})
    EXPECT_RV(CKR_KEY_SIZE_RANGE, TryGeneratePair(session, CKM_RSA_PKCS_KEY_PAIR_GEN,
                                                  {{CKA_MODULUS_BITS, bits}}, {}, pair))
        << bits;
}

}  // namespace
}  // namespace keyscope::test
