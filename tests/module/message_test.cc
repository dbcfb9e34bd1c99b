// Message-based encryption and decryption of version 3.0 (sections 5.9 and 5.12), against OpenSSL.
#include <functional>
#include <set>

#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

// A CK_GCM_MESSAGE_PARAMS with its buffers.
struct GcmMessage {
  explicit GcmMessage(CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE, CK_ULONG fixed_bits = 0)
      : raw{iv.data(), iv.size(), fixed_bits, generator, tag.data(), tag.size() * 8} {}
  GcmMessage(const GcmMessage&) = delete;
  GcmMessage& operator=(const GcmMessage&) = delete;

  Bytes iv = Pattern(12), tag = Bytes(16);
  CK_GCM_MESSAGE_PARAMS raw;
};

Bytes Xor(Bytes one, ByteView other) {
  for (size_t i = 0; i < one.size(); ++i) one[i] ^= other[i];
  return one;
}

// AES-GCM as in NIST SP 800-38D, sections 7.1 and 6.4, with an IV of any length, out of what
// OpenSSL does with one of 12 bytes: its EVP interface takes none of more than 128.
Bytes GcmEncryptLong(ByteView key, ByteView iv, ByteView aad, ByteView data) {
  const Bytes zero(12);
  auto block = [&](ByteView input) { return Cipher("ECB", true, key, {}, input); };
  const Bytes mask = block(Concat({zero, Bytes{0, 0, 0, 1}}));
  auto ghash = [&](ByteView associated, ByteView cipher) {
    const Bytes stream = GcmEncrypt(key, zero, {}, Bytes(cipher.size()), 16);
    const Bytes all = GcmEncrypt(key, zero, associated, Xor(Copy(cipher), stream), 16);
    return Xor(Copy(ByteView(all).last(16)), mask);
  };
  const Bytes start = ghash({}, iv);
  Bytes counter = start;
  for (size_t i = 15; i >= 12 && ++counter[i] == 0; --i) continue;
  const Bytes cipher = Cipher("CTR", true, key, counter, data);
  return Concat({cipher, Xor(ghash(aad, cipher), block(start))});
}

class Messages : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    key = ImportAes(session, Pattern(32));
    ASSERT_OK(C_MessageEncryptInit(session, gcm.get(), key));
    ASSERT_OK(C_MessageDecryptInit(session, gcm.get(), key));
  }
  CK_RV Encrypt(GcmMessage& message, ByteView data, Bytes& cipher) {
    cipher.resize(data.size());
    CK_ULONG size = cipher.size();
    return C_EncryptMessage(session, &message.raw, sizeof message.raw, Mutable(aad), aad.size(),
                            Mutable(data), data.size(), cipher.data(), &size);
  }
  CK_RV Decrypt(GcmMessage& message, ByteView cipher, Bytes& plain) {
    plain.resize(cipher.size());
    CK_ULONG size = plain.size();
    return C_DecryptMessage(session, &message.raw, sizeof message.raw, Mutable(aad), aad.size(),
                            Mutable(cipher), cipher.size(), plain.data(), &size);
  }
  // Ciphertext and tag as OpenSSL makes them.
  Bytes Expected(const GcmMessage& message, ByteView data) {
    return GcmEncrypt(Pattern(32), message.iv, aad, data, message.raw.ulTagBits / 8);
  }

  const Mechanism gcm{CKM_AES_GCM};
  const Bytes aad = Pattern(21);
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
};

TEST_F(Messages, ManyUnderOneKey) {
  for (size_t size : {0, 1, 16, 100}) {
    for (CK_ULONG tag_size : {4, 12, 16}) {
      GcmMessage message;
      message.raw.ulTagBits = tag_size * 8;
      message.iv[0] = static_cast<uint8_t>(size + tag_size);
      Bytes cipher, plain;
      ASSERT_OK(Encrypt(message, Pattern(size), cipher));
      const ByteView tag = ByteView(message.tag).first(tag_size);
      EXPECT_EQ(Concat({cipher, tag}), Expected(message, Pattern(size)));
      ASSERT_OK(Decrypt(message, cipher, plain));
      EXPECT_EQ(plain, Pattern(size));
      message.tag[0] ^= 1;
      EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID, Decrypt(message, cipher, plain));
    }
  }
  EXPECT_OK(C_MessageEncryptFinal(session));
  EXPECT_OK(C_MessageDecryptFinal(session));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_MessageEncryptFinal(session));
}

TEST_F(Messages, InParts) {
  GcmMessage message;
  const Bytes data = Pattern(50);
  Bytes cipher(50), plain(50);
  ASSERT_OK(
      C_EncryptMessageBegin(session, &message.raw, sizeof message.raw, Mutable(aad), aad.size()));
  EXPECT_RV(CKR_OPERATION_ACTIVE,
            C_EncryptMessageBegin(session, &message.raw, sizeof message.raw, nullptr, 0));
  EXPECT_RV(CKR_OPERATION_ACTIVE, Encrypt(message, data, plain));
  CK_ULONG size = 19;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, C_EncryptMessageNext(session, &message.raw, sizeof message.raw,
                                                       Mutable(data), 20, cipher.data(), &size, 0));
  EXPECT_EQ(size, 20U);
  ASSERT_OK(C_EncryptMessageNext(session, &message.raw, sizeof message.raw, Mutable(data), 20,
                                 cipher.data(), &size, 0));
  size = 30;
  ASSERT_OK(C_EncryptMessageNext(session, &message.raw, sizeof message.raw,
                                 Mutable(ByteView(data).subspan(20)), 30, cipher.data() + 20, &size,
                                 CKF_END_OF_MESSAGE));
  EXPECT_EQ(Concat({cipher, message.tag}), Expected(message, data));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            C_EncryptMessageNext(session, &message.raw, sizeof message.raw, nullptr, 0,
                                 cipher.data(), &size, 0));

  // No plaintext comes out before its tag was seen to be right.
  ASSERT_OK(
      C_DecryptMessageBegin(session, &message.raw, sizeof message.raw, Mutable(aad), aad.size()));
  size = 50;
  ASSERT_OK(C_DecryptMessageNext(session, &message.raw, sizeof message.raw, cipher.data(), 20,
                                 plain.data(), &size, 0));
  EXPECT_EQ(size, 0U);
  size = 50;
  ASSERT_OK(C_DecryptMessageNext(session, &message.raw, sizeof message.raw, cipher.data() + 20, 30,
                                 plain.data(), &size, CKF_END_OF_MESSAGE));
  EXPECT_EQ(size, 50U);
  EXPECT_EQ(plain, data);
}

// What was begun with is what the cipher was made for.
TEST_F(Messages, ATagKeepsItsSize) {
  for (CK_ULONG begun : {32, 128}) {
    GcmMessage message;
    Bytes part = Pattern(20);
    CK_ULONG size = part.size();
    for (bool encrypts : {true, false}) {
      message.raw.ulTagBits = begun;
      const auto begin = encrypts ? C_EncryptMessageBegin : C_DecryptMessageBegin;
      const auto next = encrypts ? C_EncryptMessageNext : C_DecryptMessageNext;
      ASSERT_OK(begin(session, &message.raw, sizeof message.raw, nullptr, 0));
      message.raw.ulTagBits = 160 - begun;
      const Bytes before = message.tag;
      EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
                next(session, &message.raw, sizeof message.raw, part.data(), part.size(),
                     part.data(), &size, CKF_END_OF_MESSAGE));
      EXPECT_EQ(message.tag, before);
      EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
                next(session, &message.raw, sizeof message.raw, part.data(), part.size(),
                     part.data(), &size, CKF_END_OF_MESSAGE));
    }
  }
}

TEST_F(Messages, LongIvs) {
  for (size_t size : {13, 128, 129, 257, 65536}) {
    GcmMessage message;
    message.iv = Pattern(size);
    message.raw.pIv = message.iv.data();
    message.raw.ulIvLen = size;
    Bytes cipher, plain;
    ASSERT_OK(Encrypt(message, Pattern(20), cipher));
    EXPECT_EQ(Concat({cipher, message.tag}),
              GcmEncryptLong(Pattern(32), message.iv, aad, Pattern(20)));
    ASSERT_OK(Decrypt(message, cipher, plain));
    EXPECT_EQ(plain, Pattern(20));
    message.raw.ivGenerator = CKG_GENERATE_COUNTER;
    ASSERT_OK(Encrypt(message, Pattern(20), cipher));
    message.raw.ulIvLen = 65537;
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, Encrypt(message, Pattern(20), cipher));
  }
}

TEST_F(Messages, GeneratedIvsAreNeverTheSame) {
  for (CK_GENERATOR_FUNCTION generator :
       {CKG_GENERATE, CKG_GENERATE_RANDOM, CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR}) {
    SCOPED_TRACE(generator);
    std::set<Bytes> seen;
    for (int i = 0; i < 300; ++i) {
      GcmMessage message(generator, 28);
      Bytes cipher, plain;
      ASSERT_OK(Encrypt(message, Pattern(20), cipher));
      EXPECT_TRUE(seen.insert(message.iv).second) << Hex(message.iv);
      EXPECT_TRUE(Equal(ByteView(message.iv).first(3), ByteView(Pattern(12)).first(3)));
      EXPECT_EQ(message.iv[3] >> 4, Pattern(12)[3] >> 4) << "the fixed bits stay";
      EXPECT_EQ(Concat({cipher, message.tag}), Expected(message, Pattern(20)));
      ASSERT_OK(Decrypt(message, cipher, plain));
    }
  }
}

// CKG_GENERATE_COUNTER_XOR is what TLS 1.3 does: the caller's IV, and the number of the message.
TEST_F(Messages, ACounterIsAddedToTheCallersIv) {
  for (uint8_t number = 0; number < 3; ++number) {
    GcmMessage message(CKG_GENERATE_COUNTER_XOR);
    Bytes cipher, expected = message.iv;
    expected.back() ^= number;
    ASSERT_OK(Encrypt(message, Pattern(20), cipher));
    EXPECT_EQ(message.iv, expected);
  }
}

// It is the IV of the first message, whatever is left in the caller's buffers.
TEST_F(Messages, ACounterIsAddedOnceWhereTheIvStays) {
  GcmMessage message(CKG_GENERATE_COUNTER_XOR, 32);
  for (uint8_t number = 0; number < 20; ++number) {
    Bytes cipher, expected = Pattern(12);
    expected.back() ^= number;
    ASSERT_OK(Encrypt(message, Pattern(20), cipher));
    EXPECT_EQ(message.iv, expected);
  }
  std::set<Bytes> seen;
  GcmMessage others[2] = {GcmMessage(CKG_GENERATE_COUNTER_XOR),
                          GcmMessage(CKG_GENERATE_COUNTER_XOR, 32)};
  for (int i = 0; i < 40; ++i) {
    Bytes cipher;
    GcmMessage& one = others[i % 2];
    if (i % 3 == 0) one.iv[0] = 0x55;
    ASSERT_OK(Encrypt(one, Pattern(20), cipher));
    EXPECT_TRUE(seen.insert(one.iv).second) << Hex(one.iv);
  }
}

TEST_F(Messages, BadParameters) {
  const std::function<void(CK_GCM_MESSAGE_PARAMS&)> damages[] = {
      [](auto& raw) { raw.pIv = nullptr; },
      [](auto& raw) { raw.ulIvLen = 0; },
      [](auto& raw) { raw.ulIvLen = ~CK_ULONG{0}; },
      [](auto& raw) { raw.pTag = nullptr; },
      [](auto& raw) { raw.ulTagBits = 129; },
      [](auto& raw) { raw.ulTagBits = 0; },
      [](auto& raw) { raw.ulIvFixedBits = 97; },
      [](auto& raw) { raw.ivGenerator = 99; },
      [](auto& raw) { raw.ivGenerator = CKG_GENERATE, raw.ulIvFixedBits = 64; }};
  Bytes cipher;
  for (const auto& damage : damages) {
    GcmMessage message;
    damage(message.raw);
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, Encrypt(message, Pattern(20), cipher))
        << &damage - damages;
  }
  GcmMessage message;
  CK_ULONG size = 0;
  EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
            C_EncryptMessage(session, nullptr, 0, nullptr, 0, nullptr, 0, nullptr, &size));
  EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
            C_EncryptMessage(session, &message.raw, sizeof message.raw - 1, nullptr, 0, nullptr, 0,
                             nullptr, &size));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_EncryptMessage(session, &message.raw, sizeof message.raw, nullptr,
                                                0, nullptr, 5, nullptr, &size));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_EncryptMessage(session, &message.raw, sizeof message.raw, nullptr,
                                                5, nullptr, 0, nullptr, &size));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_EncryptMessage(session, &message.raw, sizeof message.raw, nullptr,
                                                0, nullptr, 0, nullptr, nullptr));
}

TEST_F(Messages, BeginAndEndInOrder) {
  EXPECT_RV(CKR_OPERATION_ACTIVE, C_MessageEncryptInit(session, gcm.get(), key));
  ASSERT_OK(C_SessionCancel(session, CKF_MESSAGE_ENCRYPT));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_MessageEncryptFinal(session));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_MessageEncryptInit(session, nullptr, key));
  EXPECT_RV(CKR_MECHANISM_INVALID,
            C_MessageEncryptInit(session, Mechanism(CKM_AES_CBC, Pattern(16)).get(), key));
  EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
            C_MessageEncryptInit(session, Gcm(Pattern(12), {}, 128).get(), key));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, C_MessageEncryptInit(session, gcm.get(), 0));
  EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT,
            C_MessageEncryptInit(session, gcm.get(), ImportSecret(session, Pattern(32))));
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
            C_MessageEncryptInit(session, gcm.get(),
                                 ImportAes(session, Pattern(32), {{CKA_ENCRYPT, false}})));
  // It ends with the login that its private key needs.
  ASSERT_OK(C_Logout(session));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, C_MessageDecryptFinal(session));
  // Another may begin at once.
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  ASSERT_OK(C_MessageEncryptInit(session, gcm.get(), ImportAes(session, Pattern(32))));
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  EXPECT_OK(C_MessageEncryptInit(session, gcm.get(), ImportAes(session, Pattern(32))));
}

}  // namespace
}  // namespace keyscope::test
