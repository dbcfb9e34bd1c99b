// Bad input in templates, handles and pointers: each refused with the specification's code, none by
// a crash.
#include <cstring>

#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

const Attributes kDataObject{{CKA_CLASS, CKO_DATA}, {CKA_LABEL, "x"}};

class Templates : public LoggedIn {
 protected:
  CK_RV TryRaw(CK_ATTRIBUTE attribute) {
    Attributes base{{CKA_CLASS, CKO_DATA}};
    CK_ATTRIBUTE list[2] = {base.data()[0], attribute};
    CK_OBJECT_HANDLE object;
    return C_CreateObject(session, list, 2, &object);
  }
  CK_RV TryGenerate(CK_MECHANISM_TYPE type, Attributes attributes) {
    CK_OBJECT_HANDLE key;
    return C_GenerateKey(session, Mechanism(type).get(), attributes.data(), attributes.size(),
                         &key);
  }
  CK_RV TryPair(CK_MECHANISM_TYPE type, const Attributes& public_half,
                const Attributes& private_half = {}) {
    KeyPair pair;
    return TryGeneratePair(session, type, public_half, private_half, pair);
  }
};

TEST_F(Templates, NullsAndAbsurdLengths) {
  CK_OBJECT_HANDLE object;
  Attributes data = kDataObject;
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_CreateObject(session, nullptr, 1, &object));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_CreateObject(session, data.data(), ~CK_ULONG{0}, &object));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_CreateObject(session, data.data(), data.size(), nullptr));
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, C_CreateObject(session, nullptr, 0, &object));
  char value[4] = {};
  for (CK_ULONG length : {~CK_ULONG{0}, ~CK_ULONG{0} - 7, CK_ULONG{1} << 62, CK_ULONG{1} << 31})
    for (CK_ATTRIBUTE_TYPE type : {CKA_LABEL, CKA_TOKEN, CKA_VALUE})
      EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryRaw({type, value, length})) << length;
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryRaw({CKA_LABEL, nullptr, 4}));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryRaw({CKA_TOKEN, nullptr, 1}));
  EXPECT_OK(TryRaw({CKA_LABEL, nullptr, 0}));

  object = Create(session, kDataObject);
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GetAttributeValue(session, object, nullptr, 1));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GetAttributeValue(session, object, data.data(), ~CK_ULONG{0}));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_SetAttributeValue(session, object, nullptr, 1));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_CopyObject(session, object, nullptr, 1, &object));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_CopyObject(session, object, nullptr, 0, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, C_GetObjectSize(session, object, nullptr));
}

TEST_F(Templates, ValuesOfTheWrongSize) {
  for (const Bytes& value : {Bytes{}, Bytes{2}, Bytes{0xff}, Bytes(2, 0), Bytes(8, 0)})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(session, kDataObject.With({{CKA_TOKEN, value}})))
        << Hex(value);
  for (const Bytes& value : {Bytes{}, Bytes(4, 0), Bytes(7, 0), Bytes(9, 0)})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(session, kDataObject.With({{CKA_CLASS, value}})))
        << Hex(value);
  const Attributes key = PublicTemplate(NewEc("P-256"));
  for (std::string_view date : {"2030", "2030010", "203001011", "2030-1-1", "20301301", "20300230",
                                "20300100", "00000000", "\xff\xff\xff\xff\xff\xff\xff\xff"})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, key.With({{CKA_START_DATE, date}})))
        << date;
  EXPECT_OK(TryCreate(session, key.With({{CKA_START_DATE, "20300101"}})));
  const Attributes both{{CKA_START_DATE, "20300101"}, {CKA_END_DATE, "20291231"}};
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, TryCreate(session, key.With(both)));
  const CK_OBJECT_HANDLE dated = Create(session, key.With({{CKA_END_DATE, "20300101"}}));
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, Set(session, dated, {{CKA_START_DATE, "20300102"}}));
  EXPECT_OK(Set(session, dated, {{CKA_START_DATE, "20300101"}}));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, key.With({{CKA_ALLOWED_MECHANISMS, Bytes(9, 0)}})));
}

TEST_F(Templates, Contradictions) {
  Attributes twice = kDataObject;
  twice.Add({CKA_LABEL, "y"});
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, TryCreate(session, twice));
  EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID,
            TryCreate(session, kDataObject.With({{0x7ffffff1UL, "?"}})));
  EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID,
            TryCreate(session, kDataObject.With({{~CK_ULONG{0}, "?"}})));
  for (CK_OBJECT_CLASS type : {CKO_HW_FEATURE, CKO_DOMAIN_PARAMETERS, CKO_MECHANISM, ~CK_ULONG{0}})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, {{CKA_CLASS, type}})) << type;
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryCreate(session, {{CKA_CLASS, CKO_SECRET_KEY}}));
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE,
            TryCreate(session, {{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_AES}}));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, {{CKA_CLASS, CKO_SECRET_KEY},
                                                             {CKA_KEY_TYPE, CKK_RSA},
                                                             {CKA_VALUE, Pattern(16)}}));

  const Attributes ec{{CKA_EC_PARAMS, P256().params}};
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
            TryPair(CKM_EC_KEY_PAIR_GEN, ec.With({{CKA_CLASS, CKO_PRIVATE_KEY}})));
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, TryPair(CKM_EC_KEY_PAIR_GEN, ec, {{CKA_KEY_TYPE, CKK_RSA}}));
  EXPECT_RV(
      CKR_TEMPLATE_INCONSISTENT,
      TryGenerate(CKM_AES_KEY_GEN, {{CKA_VALUE_LEN, 16}, {CKA_KEY_TYPE, CKK_GENERIC_SECRET}}));
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
            TryGenerate(CKM_AES_KEY_GEN, {{CKA_VALUE_LEN, 16}, {CKA_CLASS, CKO_DATA}}));
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryPair(CKM_EC_KEY_PAIR_GEN, {}));
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryPair(CKM_RSA_PKCS_KEY_PAIR_GEN, {}));
  EXPECT_TRUE(Find(session, {}).empty()) << "left behind";
}

TEST_F(Templates, AKeyInTheTpmStaysInside) {
  const Attributes ec{{CKA_EC_PARAMS, P256().params}};
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryPair(CKM_EC_KEY_PAIR_GEN, ec, {{CKA_SENSITIVE, false}}));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryPair(CKM_EC_KEY_PAIR_GEN, ec, {{CKA_EXTRACTABLE, true}}));
}

TEST_F(Templates, SecretKeysOfWrongSizes) {
  const Attributes aes{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_AES}};
  for (size_t size : {0, 1, 15, 17, 33, 64})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(session, aes.With({{CKA_VALUE, Pattern(size)}})))
        << size;
  for (CK_ULONG size : {CK_ULONG{0}, CK_ULONG{15}, CK_ULONG{33}, ~CK_ULONG{0}}) {
    const CK_RV rv = TryGenerate(CKM_AES_KEY_GEN, {{CKA_VALUE_LEN, size}});
    EXPECT_TRUE(rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_KEY_SIZE_RANGE) << rv;
  }
  const Attributes generic = aes.With({{CKA_KEY_TYPE, CKK_GENERIC_SECRET}});
  CK_MECHANISM_INFO info;
  ASSERT_OK(C_GetMechanismInfo(kMachineSlot, CKM_GENERIC_SECRET_KEY_GEN, &info));
  const CK_ULONG largest = info.ulMaxKeySize;
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, generic.With({{CKA_VALUE, ""}})));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, generic.With({{CKA_VALUE, Pattern(largest + 1)}})));
  EXPECT_OK(TryCreate(session, generic.With({{CKA_VALUE, Pattern(largest)}})));
  for (CK_ULONG size : {CK_ULONG{0}, largest + 1, ~CK_ULONG{0}})
    EXPECT_RV(CKR_KEY_SIZE_RANGE, TryGenerate(CKM_GENERIC_SECRET_KEY_GEN, {{CKA_VALUE_LEN, size}}));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, aes.With({{CKA_VALUE, Pattern(16)}, {CKA_CHECK_VALUE, "abc"}})));
}

TEST_F(Templates, RsaNumbersThatAreNone) {
  const Key key = NewRsa(2048);
  const Attributes good = PublicTemplate(key), own = PrivateTemplate(key);
  const Bytes huge(64 * 1024, 0xff);
  for (const Bytes& number : {Bytes{}, Bytes{0}, Bytes(8, 0), huge}) {
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(session, good.With({{CKA_PUBLIC_EXPONENT, number}})))
        << number.size();
    for (CK_ATTRIBUTE_TYPE type : {CKA_MODULUS, CKA_PRIVATE_EXPONENT}) {
      const CK_RV rv = TryCreate(session, own.With({{type, number}}));
      EXPECT_TRUE(rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_KEY_SIZE_RANGE)
          << type << " " << rv;
    }
    const CK_RV rv = TryCreate(session, good.With({{CKA_MODULUS, number}}));
    EXPECT_TRUE(rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_KEY_SIZE_RANGE) << rv;
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryPair(CKM_RSA_PKCS_KEY_PAIR_GEN,
                      {{CKA_MODULUS_BITS, 2048}, {CKA_PUBLIC_EXPONENT, number}}));
  }
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, own.With({{CKA_PRIME_1, Pattern(128)}})));
  EXPECT_RV(CKR_KEY_SIZE_RANGE, TryCreate(session, PrivateTemplate(NewRsa(1536))));
}

TEST_F(Templates, EcParametersAndPointsThatAreNone) {
  const Key key = NewEc("P-256");
  const Attributes good = PublicTemplate(key);
  for (const Bytes& garbage :
       {Bytes{}, Bytes{6}, Bytes{6, 0xff}, Bytes{6, 0x84, 0xff, 0xff, 0xff, 0xff}, Pattern(10),
        Bytes(1000, 0x30), Bytes{5, 0}}) {
    for (CK_RV rv : {TryCreate(session, good.With({{CKA_EC_PARAMS, garbage}})),
                     TryPair(CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, garbage}})})
      EXPECT_TRUE(rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_CURVE_NOT_SUPPORTED ||
                  rv == CKR_DOMAIN_PARAMS_INVALID)
          << Hex(garbage) << " " << rv;
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(session, good.With({{CKA_EC_POINT, garbage}})));
  }
  const Bytes secp256k1 = {6, 5, 0x2b, 0x81, 4, 0, 0x0a};
  EXPECT_RV(CKR_CURVE_NOT_SUPPORTED, TryPair(CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, secp256k1}}));
  Bytes off_curve = RawPoint(key);
  off_curve[40] ^= 1;
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, good.With({{CKA_EC_POINT, OctetString(off_curve)}})));
  for (const Bytes& scalar : {Bytes{}, Bytes(32, 0), Bytes(32, 0xff), Bytes(33, 1), Bytes(1000, 1)})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(session, PrivateTemplate(key).With({{CKA_VALUE, scalar}})))
        << scalar.size();
}

TEST_F(Templates, APublicHalfThatContradicts) {
  const Key ec = NewEc("P-256"), rsa = NewRsa(2048), other = NewEc("P-256");
  for (const Attributes& good : {PublicTemplate(ec), PrivateTemplate(ec)}) {
    EXPECT_OK(TryCreate(session, good.With({{CKA_PUBLIC_KEY_INFO, PublicKeyInfo(ec)}})));
    EXPECT_OK(TryCreate(session, good.With({{CKA_EC_POINT, OctetString(RawPoint(ec))}})));
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
              TryCreate(session, good.With({{CKA_PUBLIC_KEY_INFO, PublicKeyInfo(other)}})));
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
              TryCreate(session, good.With({{CKA_PUBLIC_KEY_INFO, Pattern(40)}})));
  }
  EXPECT_RV(
      CKR_TEMPLATE_INCONSISTENT,
      TryCreate(session, PrivateTemplate(ec).With({{CKA_EC_POINT, OctetString(RawPoint(other))}})));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryCreate(session, PrivateTemplate(ec).With({{CKA_EC_POINT, Pattern(65)}})));
  for (const Attributes& good : {PublicTemplate(rsa), PrivateTemplate(rsa)}) {
    EXPECT_OK(TryCreate(session, good.With({{CKA_PUBLIC_KEY_INFO, PublicKeyInfo(rsa)}})));
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
              TryCreate(session, good.With({{CKA_PUBLIC_KEY_INFO, PublicKeyInfo(ec)}})));
  }
}

TEST_F(Templates, CertificatesThatAreNone) {
  const Certificate good = SelfSigned();
  const Attributes base{
      {CKA_CLASS, CKO_CERTIFICATE}, {CKA_CERTIFICATE_TYPE, CKC_X_509}, {CKA_SUBJECT, good.subject}};
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryCreate(session, base));
  const Bytes cut(good.der.begin(), good.der.end() - 1);
  for (const Bytes& value : {Pattern(100), cut, Bytes{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}})
    EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID, TryCreate(session, base.With({{CKA_VALUE, value}})));
  EXPECT_RV(
      CKR_ATTRIBUTE_VALUE_INVALID,
      TryCreate(session, base.With({{CKA_CERTIFICATE_TYPE, CKC_WTLS}, {CKA_VALUE, good.der}})));
}

TEST_F(Templates, AlwaysAuthenticateIsForPrivateKeysOnly) {
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
            TryPair(CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}},
                    {{CKA_PRIVATE, false}, {CKA_ALWAYS_AUTHENTICATE, true}}));
}

TEST_F(Templates, BadHandles) {
  const CK_OBJECT_HANDLE object = Create(session, kDataObject);
  for (CK_SESSION_HANDLE bad : {CK_SESSION_HANDLE{0}, session + 1, ~CK_SESSION_HANDLE{0}}) {
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, TryGet(bad, object, CKA_LABEL));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, TryCreate(bad, kDataObject));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, C_DestroyObject(bad, object));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, C_FindObjectsInit(bad, nullptr, 0));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, C_DigestInit(bad, Mechanism(CKM_SHA256).get()));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, C_GenerateRandom(bad, nullptr, 0));
  }
  for (CK_OBJECT_HANDLE bad : {CK_OBJECT_HANDLE{0}, object ^ 1, object ^ 2, object + 4,
                               ~CK_OBJECT_HANDLE{0}, CK_OBJECT_HANDLE{1} << 63}) {
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, TryGet(session, bad, CKA_LABEL)) << bad;
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, C_DestroyObject(session, bad));
    for (const OperationRow* row : {&kSign, &kEncrypt, &kDecrypt, &kSignRecover, &kVerifyRecover})
      EXPECT_RV(CKR_KEY_HANDLE_INVALID, row->init(session, Mechanism(CKM_RSA_PKCS).get(), bad));
    EXPECT_RV(CKR_KEY_HANDLE_INVALID, C_VerifyInit(session, Mechanism(CKM_ECDSA).get(), bad));
  }
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, C_SignInit(session, Mechanism(CKM_ECDSA).get(), object))
      << "no key";
}

}  // namespace
}  // namespace keyscope::test
