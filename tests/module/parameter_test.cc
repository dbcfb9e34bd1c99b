// Mechanism parameters that are missing, short, long or nonsense.
#include "tests/module/openssl.h"
#include "tests/module/usual.h"

namespace keyscope::test {
namespace {

class Parameters : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    keys = std::make_unique<UsualKeys>(session);
  }
  // Init with whatever the mechanism is for. What is begun is ended again.
  CK_RV Use(const Mechanism& mechanism, CK_MECHANISM* raw = nullptr) {
    CK_MECHANISM_INFO info{};
    EXPECT_OK(C_GetMechanismInfo(kMachineSlot, mechanism.type(), &info));
    CK_MECHANISM* used = raw != nullptr ? raw : mechanism.get();
    const KeyPair pair = keys->For(mechanism.type());
    Attributes attributes{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_VALUE_LEN, 16}};
    KeyPair made;
    CK_RV rv = CKR_OK;
    if (info.flags & CKF_SIGN) {
      rv = C_SignInit(session, used, pair.private_key);
    } else if (info.flags & CKF_ENCRYPT) {
      rv = C_EncryptInit(session, used, pair.public_key);
    } else if (info.flags & CKF_DIGEST) {
      rv = C_DigestInit(session, used);
    } else if (info.flags & CKF_DERIVE) {
      rv = C_DeriveKey(session, used, pair.private_key, attributes.data(), attributes.size(),
                       &made.public_key);
    } else if (info.flags & CKF_GENERATE) {
      rv = C_GenerateKey(session, used, attributes.data(), attributes.size(), &made.public_key);
    } else {
      Attributes spec{{CKA_EC_PARAMS, P256().params}};
      if (mechanism.type() == CKM_RSA_PKCS_KEY_PAIR_GEN) spec = {{CKA_MODULUS_BITS, 2048}};
      rv = C_GenerateKeyPair(session, used, spec.data(), spec.size(), nullptr, 0, &made.public_key,
                             &made.private_key);
    }
    C_SessionCancel(session, ~CK_FLAGS{0});
    return rv;
  }
  void ExpectRefused(const Mechanism& mechanism) {
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, Use(mechanism));
  }

  std::unique_ptr<UsualKeys> keys;
};

TEST_F(Parameters, OfTheWrongSize) {
  for (CK_MECHANISM_TYPE type : MechanismList()) {
    SCOPED_TRACE(testing::Message() << "mechanism 0x" << std::hex << type);
    if (type >= CKM_VENDOR_DEFINED) continue;
    if (type == CKM_AES_KEY_WRAP || type == CKM_AES_KEY_WRAP_KWP)
      continue;  // an IV is optional there
    const Mechanism usual = Usual(type, keys->point());
    const Bytes& parameter = usual.parameter();
    EXPECT_OK(Use(usual));
    Bytes longer = parameter, room = parameter.empty() ? Bytes(16) : parameter;
    longer.push_back(0);
    ExpectRefused(usual.With(longer));
    if (!parameter.empty()) {
      ExpectRefused(usual.With({}));
      ExpectRefused(usual.With({parameter.begin(), parameter.end() - 1}));
    }
    CK_MECHANISM null{type, nullptr, room.size()};
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, Use(usual, &null));
    CK_MECHANISM absurd{type, room.data(), ~CK_ULONG{0}};
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, Use(usual, &absurd));
    if (!parameter.empty()) continue;
    CK_MECHANISM pointer_only{type, room.data(), 0};
    EXPECT_OK(Use(usual, &pointer_only)) << "no length, no parameter";
  }
}

TEST_F(Parameters, OfKeyWrap) {
  const CK_OBJECT_HANDLE aes = keys->For(CKM_AES_ECB).private_key;
  for (auto [type, size] : {std::pair{CKM_AES_KEY_WRAP, 8}, std::pair{CKM_AES_KEY_WRAP_KWP, 4}}) {
    EXPECT_OK(Try(kEncrypt, session, {type, Pattern(static_cast<size_t>(size))}, aes, Pattern(16)));
    for (size_t bad : {1, 3, 7, 9, 16})
      EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
                Try(kEncrypt, session, {type, Pattern(bad)}, aes, Pattern(16)))
          << type << " " << bad;
    CK_MECHANISM null{type, nullptr, 8};
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, C_EncryptInit(session, &null, aes));
    C_SessionCancel(session, ~CK_FLAGS{0});
  }
}

TEST_F(Parameters, Pss) {
  const HashRow unknown{CKM_MD5, 99, "none", 16};
  ExpectRefused(Pss(CKM_RSA_PKCS_PSS, unknown, kSha256, 0));
  ExpectRefused(Pss(CKM_RSA_PKCS_PSS, kSha256, unknown, 0));
  ExpectRefused(Pss(CKM_RSA_PKCS_PSS, kSha256, kSha256, ~CK_ULONG{0}));
  ExpectRefused(Pss(CKM_RSA_PKCS_PSS, kSha256, kSha256, ~CK_ULONG{0} - 33));
  ExpectRefused(Pss(CKM_SHA256_RSA_PKCS_PSS, kSha1, kSha1, 20));
}

TEST_F(Parameters, Oaep) {
  const HashRow unknown{CKM_MD5, 99, "none", 16};
  ExpectRefused(Oaep(unknown, kSha256));
  ExpectRefused(Oaep(kSha256, unknown));
  CK_RSA_PKCS_OAEP_PARAMS parameters{CKM_SHA256, CKG_MGF1_SHA256, 7, nullptr, 0};
  ExpectRefused({CKM_RSA_PKCS_OAEP, BytesOf(parameters)});
  parameters.source = CKZ_DATA_SPECIFIED;
  parameters.ulSourceDataLen = 5;
  ExpectRefused({CKM_RSA_PKCS_OAEP, BytesOf(parameters)});
  Bytes label(5);
  parameters.pSourceData = label.data();
  parameters.ulSourceDataLen = ~CK_ULONG{0};
  ExpectRefused({CKM_RSA_PKCS_OAEP, BytesOf(parameters)});
}

TEST_F(Parameters, Gcm) {
  Bytes iv(12);
  for (CK_ULONG bits :
       {CK_ULONG{0}, CK_ULONG{7}, CK_ULONG{8}, CK_ULONG{127}, CK_ULONG{136}, ~CK_ULONG{0}})
    ExpectRefused(Gcm(iv, {}, bits));
  ExpectRefused(Gcm({}, {}, 128));
  GcmParams parameters{nullptr, 12, 96, nullptr, 0, 128};
  ExpectRefused({CKM_AES_GCM, BytesOf(parameters)});
  parameters.pIv = iv.data();
  parameters.ulIvLen = ~CK_ULONG{0};
  ExpectRefused({CKM_AES_GCM, BytesOf(parameters)});
  parameters.ulIvLen = 12;
  parameters.ulAADLen = 4;
  ExpectRefused({CKM_AES_GCM, BytesOf(parameters)});
  parameters.pAAD = iv.data();
  parameters.ulAADLen = ~CK_ULONG{0};
  ExpectRefused({CKM_AES_GCM, BytesOf(parameters)});
}

TEST_F(Parameters, CtrAndMacs) {
  for (CK_ULONG bits : {CK_ULONG{0}, CK_ULONG{129}, ~CK_ULONG{0}})
    ExpectRefused(Ctr(Bytes(16, 0), bits));
  for (CK_ULONG size : {CK_ULONG{0}, CK_ULONG{65}, ~CK_ULONG{0}}) {
    ExpectRefused({CKM_SHA256_HMAC_GENERAL, BytesOf(size)});
    ExpectRefused({CKM_AES_CMAC_GENERAL, BytesOf(size)});
  }
}

TEST_F(Parameters, Derivation) {
  const Bytes point = RawPoint(NewEc("P-256"));
  ExpectRefused(Ecdh(99, point));
  ExpectRefused(Ecdh(CKD_NULL, point, Pattern(4)));
  CK_ECDH1_DERIVE_PARAMS ecdh{CKD_NULL, 0, nullptr, 65, nullptr};
  ExpectRefused({CKM_ECDH1_DERIVE, BytesOf(ecdh)});
  ecdh.pPublicData = Mutable(point);
  ecdh.ulPublicDataLen = ~CK_ULONG{0};
  ExpectRefused({CKM_ECDH1_DERIVE, BytesOf(ecdh)});
  ecdh = {CKD_SHA256_KDF, 8, nullptr, 65, Mutable(point)};
  ExpectRefused({CKM_ECDH1_DERIVE, BytesOf(ecdh)});

  const HashRow unknown{CKM_MD5, 99, "none", 16};
  ExpectRefused(Hkdf(unknown, true, true, Pattern(4), {}));
  CK_HKDF_PARAMS hkdf{};
  hkdf.bExtract = hkdf.bExpand = CK_TRUE;
  hkdf.prfHashMechanism = CKM_SHA256;
  ExpectRefused({CKM_HKDF_DERIVE, BytesOf(hkdf)});  // no salt type
  hkdf.ulSaltType = CKF_HKDF_SALT_DATA;
  hkdf.ulSaltLen = 9;
  ExpectRefused({CKM_HKDF_DERIVE, BytesOf(hkdf)});
  hkdf.ulSaltType = CKF_HKDF_SALT_NULL;
  hkdf.ulInfoLen = 9;
  ExpectRefused({CKM_HKDF_DERIVE, BytesOf(hkdf)});
}

}  // namespace
}  // namespace keyscope::test
