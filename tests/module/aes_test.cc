// AES, against OpenSSL: with keys in host memory and with keys in the TPM.
#include "tests/module/openssl.h"
#include "tests/module/operations.h"

// After the PKCS #11 header.
#include "p11/keyscope.h"

namespace keyscope::test {
namespace {

enum class Place { Host, Tpm };

class AesPlaces : public LoggedIn, public testing::WithParamInterface<Place> {
 protected:
  CK_OBJECT_HANDLE Aes(ByteView value) {
    const bool in_tpm = GetParam() == Place::Tpm;
    const CK_OBJECT_HANDLE key = ImportAes(
        session, value, {{CKA_TOKEN, in_tpm}, {CKA_SENSITIVE, in_tpm}, {CKA_EXTRACTABLE, !in_tpm}});
    // swtpm has no AES-192, so that key is in the host.
    EXPECT_EQ(GetBool(session, key, CKA_KEYSCOPE_IN_TPM), in_tpm && value.size() != 24);
    return key;
  }
  void ExpectBothWays(const Mechanism& mechanism, CK_OBJECT_HANDLE key, const Bytes& plain,
                      const Bytes& cipher) {
    EXPECT_EQ(Do(kEncrypt, session, mechanism, key, plain), cipher);
    EXPECT_EQ(Do(kDecrypt, session, mechanism, key, cipher), plain);
    for (size_t part : {1, 16, 37}) {
      EXPECT_EQ(DoInParts(kEncrypt, session, mechanism, key, plain, part), cipher) << part;
      EXPECT_EQ(DoInParts(kDecrypt, session, mechanism, key, cipher, part), plain) << part;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Both, AesPlaces, testing::Values(Place::Host, Place::Tpm),
                         [](const auto& one) { return one.param == Place::Host ? "Host" : "Tpm"; });

TEST_P(AesPlaces, EveryMode) {
  struct Row {
    CK_MECHANISM_TYPE type;
    const char* openssl;
    bool iv, whole_blocks;
  };
  constexpr Row kRows[] = {{CKM_AES_ECB, "ECB", false, true},
                           {CKM_AES_CBC, "CBC", true, true},
                           {CKM_AES_CBC_PAD, "CBC-PAD", true, false},
                           {CKM_AES_CFB128, "CFB", true, false},
                           {CKM_AES_OFB, "OFB", true, false}};
  const Bytes iv = Pattern(16);
  for (size_t key_size : {16, 24, 32}) {
    const Bytes value = Pattern(key_size);
    const CK_OBJECT_HANDLE key = Aes(value);
    for (const Row& row : kRows) {
      SCOPED_TRACE(row.openssl);
      const Mechanism mechanism(row.type, row.iv ? iv : Bytes{});
      for (size_t size : {0, 1, 15, 16, 17, 160}) {
        const Bytes plain = Pattern(size);
        if (row.whole_blocks && size % 16 != 0) {
          EXPECT_RV(CKR_DATA_LEN_RANGE, Try(kEncrypt, session, mechanism, key, plain));
          EXPECT_RV(CKR_ENCRYPTED_DATA_LEN_RANGE, Try(kDecrypt, session, mechanism, key, plain));
          continue;
        }
        ExpectBothWays(mechanism, key, plain,
                       Cipher(row.openssl, true, value, row.iv ? iv : Bytes{}, plain));
      }
    }
    const Bytes plain = Pattern(45);
    ExpectBothWays(Ctr(iv, 128), key, plain, Cipher("CTR", true, value, iv, plain));
  }
}

TEST_P(AesPlaces, PaddingIsChecked) {
  const CK_OBJECT_HANDLE key = Aes(Pattern(16));
  const Mechanism mechanism(CKM_AES_CBC_PAD, Pattern(16));
  Bytes cipher = Do(kEncrypt, session, mechanism, key, Pattern(20));
  EXPECT_RV(CKR_ENCRYPTED_DATA_LEN_RANGE,
            Try(kDecrypt, session, mechanism, key, ByteView(cipher).first(31)));
  EXPECT_RV(CKR_ENCRYPTED_DATA_LEN_RANGE, Try(kDecrypt, session, mechanism, key, {}));
  const Bytes no_padding = Cipher("CBC", true, Pattern(16), Pattern(16), Bytes(16, 0));
  EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID, Try(kDecrypt, session, mechanism, key, no_padding));
}

TEST_P(AesPlaces, ACounterDoesNotWrap) {
  const CK_OBJECT_HANDLE key = Aes(Pattern(16));
  EXPECT_EQ(Do(kEncrypt, session, Ctr(Bytes(16, 0), 8), key, Pattern(256 * 16)),
            Cipher("CTR", true, Pattern(16), Bytes(16, 0), Pattern(256 * 16)));
  EXPECT_RV(CKR_DATA_LEN_RANGE,
            Try(kEncrypt, session, Ctr(Bytes(16, 0), 8), key, Pattern(256 * 16 + 1)));
}

TEST_P(AesPlaces, Gcm) {
  for (size_t key_size : {16, 24, 32}) {
    const Bytes value = Pattern(key_size);
    const CK_OBJECT_HANDLE key = Aes(value);
    for (size_t iv_size : {1, 12, 16, 60}) {
      for (size_t tag_size : {4, 12, 16}) {
        for (size_t size : {0, 1, 100}) {
          SCOPED_TRACE(std::to_string(iv_size) + " " + std::to_string(tag_size) + " " +
                       std::to_string(size));
          const Bytes iv = Pattern(iv_size), aad = Pattern(size == 0 ? 0 : 21),
                      plain = Pattern(size);
          ExpectBothWays(Gcm(iv, aad, tag_size * 8), key, plain,
                         GcmEncrypt(value, iv, aad, plain, tag_size));
        }
      }
    }
    const Mechanism mechanism = Gcm(Pattern(12), Pattern(5), 128);
    Bytes cipher = Do(kEncrypt, session, mechanism, key, Pattern(50));
    EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID,
              Try(kDecrypt, session, Gcm(Pattern(12), Pattern(6), 128), key, cipher));
    EXPECT_RV(CKR_ENCRYPTED_DATA_LEN_RANGE,
              Try(kDecrypt, session, mechanism, key, ByteView(cipher).first(15)));
    for (size_t at : {size_t{0}, cipher.size() - 1}) {
      Bytes changed = cipher;
      changed[at] ^= 1;
      EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID, Try(kDecrypt, session, mechanism, key, changed));
    }
  }
}

TEST_P(AesPlaces, MoreThanOneCommandTakes) {
  const Bytes value = Pattern(32), iv = Pattern(16), plain = Pattern(5000);
  const CK_OBJECT_HANDLE key = Aes(value);
  EXPECT_EQ(Do(kEncrypt, session, {CKM_AES_CBC_PAD, iv}, key, plain),
            Cipher("CBC-PAD", true, value, iv, plain));
  // The counter of GCM's last 32 bits starts again from zero, and goes into no other byte.
  const Bytes j0 = Concat({Bytes(12, 1), Bytes(4, 0xff)});
  for (ByteView gcm_iv : {ByteView(iv).first(12), ByteView(iv), ByteView(j0)}) {
    const Bytes cipher = GcmEncrypt(value, gcm_iv, Pattern(40), plain, 16);
    EXPECT_EQ(Do(kEncrypt, session, Gcm(gcm_iv, Pattern(40), 128), key, plain), cipher);
    EXPECT_EQ(DoInParts(kDecrypt, session, Gcm(gcm_iv, Pattern(40), 128), key, cipher, 1000),
              plain);
  }
}

TEST_P(AesPlaces, Cmac) {
  const Bytes value = Pattern(16);
  const CK_OBJECT_HANDLE key = Aes(value);
  for (size_t size : {0, 1, 15, 16, 17, 32, 3000}) {
    SCOPED_TRACE(size);
    const Bytes message = Pattern(size), code = AesCmac(value, message);
    EXPECT_EQ(Do(kSign, session, CKM_AES_CMAC, key, message), code);
    EXPECT_EQ(DoInParts(kSign, session, CKM_AES_CMAC, key, message, 31), code);
    EXPECT_OK(Verify(session, CKM_AES_CMAC, key, message, code));
    EXPECT_RV(CKR_SIGNATURE_INVALID, Verify(session, CKM_AES_CMAC, key, Pattern(size + 1), code));
  }
}

TEST_P(AesPlaces, KeyWrap) {
  const Bytes value = Pattern(32);
  const CK_OBJECT_HANDLE key = Aes(value);
  for (size_t size : {16, 40}) {
    const Bytes plain = Pattern(size), wrapped = WrapAes("AES-256-WRAP", value, plain);
    EXPECT_EQ(Do(kEncrypt, session, CKM_AES_KEY_WRAP, key, plain), wrapped);
    EXPECT_EQ(Do(kDecrypt, session, CKM_AES_KEY_WRAP, key, wrapped), plain);
  }
  for (size_t size : {1, 8, 21}) {
    const Bytes plain = Pattern(size), wrapped = WrapAes("AES-256-WRAP-PAD", value, plain);
    EXPECT_EQ(Do(kEncrypt, session, CKM_AES_KEY_WRAP_KWP, key, plain), wrapped);
    EXPECT_EQ(Do(kDecrypt, session, CKM_AES_KEY_WRAP_KWP, key, wrapped), plain);
    Bytes changed = wrapped;
    changed[3] ^= 1;
    EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID,
              Try(kDecrypt, session, CKM_AES_KEY_WRAP_KWP, key, changed));
  }
}

TEST_P(AesPlaces, MessagesOfVersion3) {
  const Bytes value = Pattern(16), plain = Pattern(100), aad = Pattern(9);
  const CK_OBJECT_HANDLE key = Aes(value);
  const Mechanism gcm(CKM_AES_GCM);
  Bytes iv = Pattern(12), tag(16), cipher(plain.size()), back(plain.size());
  CK_GCM_MESSAGE_PARAMS parameters{iv.data(), iv.size(), 0, CKG_NO_GENERATE, tag.data(), 128};
  CK_ULONG size = cipher.size();
  ASSERT_OK(C_MessageEncryptInit(session, gcm.get(), key));
  ASSERT_OK(C_EncryptMessage(session, &parameters, sizeof parameters, Mutable(aad), aad.size(),
                             Mutable(plain), plain.size(), cipher.data(), &size));
  ASSERT_OK(C_MessageEncryptFinal(session));
  EXPECT_EQ(Concat({cipher, tag}), GcmEncrypt(value, iv, aad, plain, 16));
  ASSERT_OK(C_MessageDecryptInit(session, gcm.get(), key));
  ASSERT_OK(C_DecryptMessage(session, &parameters, sizeof parameters, Mutable(aad), aad.size(),
                             cipher.data(), cipher.size(), back.data(), &size));
  EXPECT_EQ(back, plain);
  tag[0] ^= 1;
  EXPECT_RV(CKR_ENCRYPTED_DATA_INVALID,
            C_DecryptMessage(session, &parameters, sizeof parameters, Mutable(aad), aad.size(),
                             cipher.data(), cipher.size(), back.data(), &size));
  ASSERT_OK(C_MessageDecryptFinal(session));
}

}  // namespace
}  // namespace keyscope::test
