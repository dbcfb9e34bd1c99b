// Every mechanism of the list, in every operation that its flags name, with the smallest and the
// largest key. The table is written from the mechanisms document: a mechanism without a row fails.
#include <algorithm>

#include "tests/module/openssl.h"
#include "tests/module/usual.h"

namespace keyscope::test {
namespace {

constexpr CK_FLAGS kMessageSign = CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE,
                   kBothCrypt = CKF_ENCRYPT | CKF_DECRYPT,
                   kBothSign = CKF_SIGN | CKF_VERIFY | kMessageSign,
                   kBothRecover = CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER,
                   kBothWrap = CKF_WRAP | CKF_UNWRAP,
                   kMessageCrypt = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE;

struct UsesRow {
  CK_FLAGS uses;
  std::vector<CK_MECHANISM_TYPE> mechanisms;
};
const UsesRow kMechanismUses[] = {
    {CKF_DIGEST,
     {CKM_SHA_1, CKM_SHA224, CKM_SHA256, CKM_SHA384, CKM_SHA512, CKM_SHA3_224, CKM_SHA3_256,
      CKM_SHA3_384, CKM_SHA3_512}},
    {CKF_GENERATE_KEY_PAIR, {CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN}},
    {kBothCrypt | kBothSign | kBothRecover | kBothWrap, {CKM_RSA_PKCS}},
    {kBothCrypt | kBothSign | kBothRecover, {CKM_RSA_X_509}},
    {kBothCrypt | kBothWrap,
     {CKM_RSA_PKCS_OAEP, CKM_AES_CBC_PAD, CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP}},
    {kBothSign,
     {CKM_SHA1_RSA_PKCS,
      CKM_SHA224_RSA_PKCS,
      CKM_SHA256_RSA_PKCS,
      CKM_SHA384_RSA_PKCS,
      CKM_SHA512_RSA_PKCS,
      CKM_SHA3_224_RSA_PKCS,
      CKM_SHA3_256_RSA_PKCS,
      CKM_SHA3_384_RSA_PKCS,
      CKM_SHA3_512_RSA_PKCS,
      CKM_RSA_PKCS_PSS,
      CKM_SHA1_RSA_PKCS_PSS,
      CKM_SHA224_RSA_PKCS_PSS,
      CKM_SHA256_RSA_PKCS_PSS,
      CKM_SHA384_RSA_PKCS_PSS,
      CKM_SHA512_RSA_PKCS_PSS,
      CKM_SHA3_224_RSA_PKCS_PSS,
      CKM_SHA3_256_RSA_PKCS_PSS,
      CKM_SHA3_384_RSA_PKCS_PSS,
      CKM_SHA3_512_RSA_PKCS_PSS,
      CKM_ECDSA,
      CKM_ECDSA_SHA1,
      CKM_ECDSA_SHA224,
      CKM_ECDSA_SHA256,
      CKM_ECDSA_SHA384,
      CKM_ECDSA_SHA512,
      CKM_ECDSA_SHA3_224,
      CKM_ECDSA_SHA3_256,
      CKM_ECDSA_SHA3_384,
      CKM_ECDSA_SHA3_512,
      CKM_AES_CMAC,
      CKM_AES_CMAC_GENERAL,
      CKM_SHA_1_HMAC,
      CKM_SHA224_HMAC,
      CKM_SHA256_HMAC,
      CKM_SHA384_HMAC,
      CKM_SHA512_HMAC,
      CKM_SHA3_224_HMAC,
      CKM_SHA3_256_HMAC,
      CKM_SHA3_384_HMAC,
      CKM_SHA3_512_HMAC,
      CKM_SHA_1_HMAC_GENERAL,
      CKM_SHA224_HMAC_GENERAL,
      CKM_SHA256_HMAC_GENERAL,
      CKM_SHA384_HMAC_GENERAL,
      CKM_SHA512_HMAC_GENERAL,
      CKM_SHA3_224_HMAC_GENERAL,
      CKM_SHA3_256_HMAC_GENERAL,
      CKM_SHA3_384_HMAC_GENERAL,
      CKM_SHA3_512_HMAC_GENERAL}},
    {kBothCrypt, {CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CTR, CKM_AES_CFB128, CKM_AES_OFB}},
    {kBothCrypt | kBothWrap | kMessageCrypt, {CKM_AES_GCM}},
    {CKF_GENERATE, {CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN}},
    {CKF_DERIVE,
     {CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE, CKM_HKDF_DERIVE, CKM_SP800_108_COUNTER_KDF}},
};
// What C_GetMechanismInfo says beside the uses.
constexpr CK_FLAGS kTraits =
    CKF_HW | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS | CKF_EC_COMPRESS;

class MechanismUse : public LoggedIn {
 protected:
  struct Subject {
    Mechanism mechanism;
    KeyPair keys;
    CK_ULONG size;  // the smallest or the largest, in the mechanism's own unit
  };

  void Digests(const Subject& subject) {
    EXPECT_EQ(Do(kDigest, session, subject.mechanism, 0, Pattern(100)),
              DoInParts(kDigest, session, subject.mechanism, 0, Pattern(100), 7));
  }
  void Encrypts(const Subject& subject) {
    const auto& [mechanism, keys, size] = subject;
    const Bytes data = Pattern(32),
                cipher = Do(kEncrypt, session, mechanism, keys.public_key, data);
    EXPECT_NE(cipher, data);
    Bytes plain = Do(kDecrypt, session, mechanism, keys.private_key, cipher);
    if (mechanism.type() == CKM_RSA_X_509) plain = Bytes(plain.end() - 32, plain.end());
    EXPECT_EQ(plain, data);
  }
  void Signs(const Subject& subject) {
    const auto& [mechanism, keys, size] = subject;
    const Bytes data = Pattern(32);
    Bytes signature = Do(kSign, session, mechanism, keys.private_key, data);
    EXPECT_OK(Verify(session, mechanism, keys.public_key, data, signature));
    signature.back() ^= 1;
    EXPECT_RV(CKR_SIGNATURE_INVALID, Verify(session, mechanism, keys.public_key, data, signature));
  }
  void Recovers(const Subject& subject) {
    const auto& [mechanism, keys, size] = subject;
    const Bytes data = Pattern(32),
                signature = Do(kSignRecover, session, mechanism, keys.private_key, data);
    Bytes recovered = Do(kVerifyRecover, session, mechanism, keys.public_key, signature);
    if (mechanism.type() == CKM_RSA_X_509) recovered = Bytes(recovered.end() - 32, recovered.end());
    EXPECT_EQ(recovered, data);
  }
  void Wraps(const Subject& subject) {
    const auto& [mechanism, keys, size] = subject;
    Bytes room(1024);
    CK_ULONG length = room.size();
    EXPECT_OK(C_WrapKey(session, mechanism.get(), keys.public_key,
                        ImportSecret(session, Pattern(16)), room.data(), &length));
    Attributes attributes{
        {CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_GENERIC_SECRET}, {CKA_SENSITIVE, false}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    EXPECT_OK(C_UnwrapKey(session, mechanism.get(), keys.private_key, room.data(), length,
                          attributes.data(), attributes.size(), &key));
    EXPECT_EQ(Get(session, key, CKA_VALUE), Pattern(16));
  }
  void Derives(const Subject& subject) {
    Attributes attributes{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_VALUE_LEN, 16}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    EXPECT_OK(C_DeriveKey(session, subject.mechanism.get(), subject.keys.private_key,
                          attributes.data(), attributes.size(), &key));
    EXPECT_EQ(GetUlong(session, key, CKA_VALUE_LEN), 16U);
  }
  void Generates(const Subject& subject) {
    Attributes attributes{{CKA_VALUE_LEN, subject.size}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    EXPECT_OK(C_GenerateKey(session, subject.mechanism.get(), attributes.data(), attributes.size(),
                            &key));
    EXPECT_EQ(GetUlong(session, key, CKA_VALUE_LEN), subject.size);
  }
  void GeneratesPairs(const Subject& subject) {
    KeyPair pair;
    const bool rsa = subject.mechanism.type() == CKM_RSA_PKCS_KEY_PAIR_GEN;
    const auto curve = std::ranges::find_if(Curves(), [&](const CurveRow& row) {
      return row.name == "P-" + std::to_string(subject.size);
    });
    ASSERT_TRUE(rsa || curve != Curves().end()) << subject.size;
    EXPECT_OK(TryGeneratePair(session, subject.mechanism,
                              rsa ? Attributes{{CKA_MODULUS_BITS, subject.size}}
                                  : Attributes{{CKA_EC_PARAMS, curve->params}},
                              {}, pair));
  }
  void EncryptsMessages(const Subject& subject) {
    const auto& [mechanism, keys, size] = subject;
    const Mechanism bare(mechanism.type());
    Bytes iv = Pattern(12), tag(16), cipher(32), plain(32);
    CK_GCM_MESSAGE_PARAMS parameters{iv.data(), iv.size(), 0, CKG_NO_GENERATE, tag.data(), 128};
    CK_ULONG length = cipher.size();
    EXPECT_OK(C_MessageEncryptInit(session, bare.get(), keys.public_key));
    EXPECT_OK(C_MessageDecryptInit(session, bare.get(), keys.private_key));
    for (int message = 0; message < 2; ++message) {
      EXPECT_OK(C_EncryptMessage(session, &parameters, sizeof parameters, nullptr, 0,
                                 Mutable(Pattern(32)), 32, cipher.data(), &length));
      EXPECT_OK(C_DecryptMessage(session, &parameters, sizeof parameters, nullptr, 0, cipher.data(),
                                 cipher.size(), plain.data(), &length));
      EXPECT_EQ(plain, Pattern(32));
      iv[0] ^= 1;
    }
    EXPECT_OK(C_MessageEncryptFinal(session));
    EXPECT_OK(C_MessageDecryptFinal(session));
  }

  void SignsMessages(const Subject& subject) {
    const auto& [mechanism, keys, size] = subject;
    EXPECT_OK(C_MessageSignInit(session, mechanism.get(), keys.private_key));
    EXPECT_OK(C_MessageVerifyInit(session, mechanism.get(), keys.public_key));
    for (uint8_t message = 0; message < 2; ++message) {
      Bytes data = Pattern(32);
      data[0] = message;
      Bytes room(1024);
      CK_ULONG signature = room.size();
      EXPECT_OK(
          C_SignMessage(session, nullptr, 0, Mutable(data), data.size(), room.data(), &signature));
      EXPECT_OK(
          C_VerifyMessage(session, nullptr, 0, Mutable(data), data.size(), room.data(), signature));
      room[signature - 1] ^= 1;
      EXPECT_RV(CKR_SIGNATURE_INVALID, C_VerifyMessage(session, nullptr, 0, Mutable(data),
                                                       data.size(), room.data(), signature));
    }
    EXPECT_OK(C_MessageSignFinal(session));
    EXPECT_OK(C_MessageVerifyFinal(session));
  }

  struct Use {
    CK_FLAGS flags;
    void (MechanismUse::*use)(const Subject&);
  };
  static constexpr Use kUses[] = {
      {CKF_DIGEST, &MechanismUse::Digests},
      {kBothCrypt, &MechanismUse::Encrypts},
      {CKF_SIGN | CKF_VERIFY, &MechanismUse::Signs},
      {kMessageSign, &MechanismUse::SignsMessages},
      {kBothRecover, &MechanismUse::Recovers},
      {kBothWrap, &MechanismUse::Wraps},
      {CKF_DERIVE, &MechanismUse::Derives},
      {CKF_GENERATE, &MechanismUse::Generates},
      {CKF_GENERATE_KEY_PAIR, &MechanismUse::GeneratesPairs},
      {kMessageCrypt, &MechanismUse::EncryptsMessages},
  };

  void TryAll(const UsesRow& row, CK_MECHANISM_TYPE type, KeySize size, const UsualKeys& keys) {
    SCOPED_TRACE(testing::Message() << "mechanism 0x" << std::hex << type);
    CK_MECHANISM_INFO info{};
    ASSERT_OK(C_GetMechanismInfo(kMachineSlot, type, &info));
    EXPECT_EQ(info.flags & ~kTraits, row.uses);
    const Subject subject{Usual(type, keys.point()), keys.For(type),
                          size == KeySize::Smallest ? info.ulMinKeySize : info.ulMaxKeySize};
    CK_FLAGS tried = 0;
    for (const Use& use : kUses) {
      if ((row.uses & use.flags & ~CK_FLAGS{CKF_MULTI_MESSAGE}) == 0) continue;
      EXPECT_EQ(row.uses & use.flags, use.flags) << "one direction without the other";
      (this->*use.use)(subject);
      tried |= use.flags;
    }
    EXPECT_EQ(tried, row.uses) << "a use that this test does not know";
  }
};

// The module's own mechanisms have tests of their own.
TEST_F(MechanismUse, EveryMechanismHasItsRow) {
  std::vector<CK_MECHANISM_TYPE> listed = MechanismList(), expected;
  std::erase_if(listed, [](CK_MECHANISM_TYPE type) { return type >= CKM_VENDOR_DEFINED; });
  for (const UsesRow& row : kMechanismUses)
    expected.insert(expected.end(), row.mechanisms.begin(), row.mechanisms.end());
  std::ranges::sort(listed);
  std::ranges::sort(expected);
  EXPECT_EQ(listed, expected);
}

TEST_F(MechanismUse, WithTheSmallestAndTheLargestKey) {
  for (KeySize size : {KeySize::Smallest, KeySize::Largest}) {
    const UsualKeys keys(session, size);
    for (const UsesRow& row : kMechanismUses)
      for (CK_MECHANISM_TYPE type : row.mechanisms) TryAll(row, type, size, keys);
  }
}

}  // namespace
}  // namespace keyscope::test
