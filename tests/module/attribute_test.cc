// Every attribute of every class against the specification's tables (version 3.0, sections 4.4
// to 4.10, and the mechanisms document): written from its footnotes, not from the module's table.
#include <algorithm>
#include <map>

#include "p11/cryptoki.h"
#include "p11/keyscope.h"
#include "tests/module/openssl.h"
#include "tests/module/operations.h"
#include "token/attribute_rules.h"

namespace keyscope::test {
namespace {

// The numbers are those of the module's table.
enum Kind : unsigned {
  kData = 1,
  kCert = 2,
  kRsaPub = 4,
  kEcPub = 8,
  kRsaPriv = 16,
  kEcPriv = 32,
  kAes = 64,
  kGeneric = 128,
  kPub = kRsaPub | kEcPub,
  kPriv = kRsaPriv | kEcPriv,
  kSecret = kAes | kGeneric,
  kKeys = kPub | kPriv | kSecret,
  kAll = 255,
};
constexpr std::pair<Kind, const char*> kKinds[] = {
    {kData, "data"},       {kCert, "certificate"},    {kRsaPub, "RSA public"},
    {kEcPub, "EC public"}, {kRsaPriv, "RSA private"}, {kEcPriv, "EC private"},
    {kAes, "AES"},         {kGeneric, "generic"}};

// What an object has that was made by C_CreateObject with no more than it needs.
enum Value { kFalse, kTrue, kEmpty, kZero, kUnknown, kPresent, kHidden, kAbsent };

enum Note : unsigned {
  kNeeded = 1,         // footnote 1
  kNotInCreate = 2,    // 2
  kForGenerate = 4,    // 3
  kNotInGenerate = 8,  // 4
  kNotInUnwrap = 16,   // 6
  kSettable = 32,      // 8
  kOnlyToTrue = 64,    // 11
  kOnlyToFalse = 128,  // 12
  kSoTrue = 256,       // 10
};
constexpr unsigned kByTokenOnly = kNotInCreate | kNotInGenerate | kNotInUnwrap;

struct AttributeRow {
  CK_ATTRIBUTE_TYPE type;
  unsigned kinds;
  Value value;
  unsigned notes = 0;
};
const AttributeRow kAttributes[] = {
    // 4.4 Storage objects
    {CKA_CLASS, kAll, kPresent, kNeeded},
    {CKA_TOKEN, kAll, kFalse},
    {CKA_MODIFIABLE, kAll, kTrue},
    {CKA_COPYABLE, kAll, kTrue},
    {CKA_DESTROYABLE, kAll, kTrue},
    {CKA_LABEL, kAll, kEmpty, kSettable},
    {CKA_PRIVATE, kPriv | kSecret, kTrue},
    {CKA_PRIVATE, kData | kCert | kPub, kFalse},
    {CKA_UNIQUE_ID, kAll, kPresent, kByTokenOnly},
    // 4.5 Data objects
    {CKA_APPLICATION, kData, kEmpty, kSettable},
    {CKA_OBJECT_ID, kData, kEmpty, kSettable},
    {CKA_VALUE, kData, kEmpty, kSettable},
    // 4.6 Certificates
    {CKA_CERTIFICATE_TYPE, kCert, kPresent, kNeeded},
    {CKA_TRUSTED, kCert, kFalse, kSoTrue},
    {CKA_CERTIFICATE_CATEGORY, kCert, kZero},
    {CKA_CHECK_VALUE, kCert, kPresent},
    {CKA_START_DATE, kCert, kEmpty},
    {CKA_END_DATE, kCert, kEmpty},
    {CKA_PUBLIC_KEY_INFO, kCert, kPresent},
    {CKA_SUBJECT, kCert, kPresent},
    {CKA_ID, kCert, kEmpty, kSettable},
    {CKA_ISSUER, kCert, kPresent, kSettable},
    {CKA_SERIAL_NUMBER, kCert, kPresent, kSettable},
    {CKA_VALUE, kCert, kPresent},
    {CKA_URL, kCert, kEmpty},
    {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, kCert, kEmpty},
    {CKA_HASH_OF_ISSUER_PUBLIC_KEY, kCert, kEmpty},
    {CKA_JAVA_MIDP_SECURITY_DOMAIN, kCert, kZero},
    {CKA_NAME_HASH_ALGORITHM, kCert, kPresent},
    // 4.7 Keys
    {CKA_KEY_TYPE, kKeys, kPresent, kNeeded},
    {CKA_ID, kKeys, kEmpty, kSettable},
    {CKA_START_DATE, kKeys, kEmpty, kSettable},
    {CKA_END_DATE, kKeys, kEmpty, kSettable},
    {CKA_DERIVE, kKeys, kFalse, kSettable},
    {CKA_LOCAL, kKeys, kFalse, kByTokenOnly},
    {CKA_KEY_GEN_MECHANISM, kKeys, kUnknown, kByTokenOnly},
    {CKA_ALLOWED_MECHANISMS, kKeys, kPresent},
    // 4.8 Public keys
    {CKA_SUBJECT, kPub | kPriv, kEmpty, kSettable},
    {CKA_ENCRYPT, kRsaPub, kTrue, kSettable},
    {CKA_ENCRYPT, kEcPub, kFalse, kSettable},
    {CKA_VERIFY, kPub, kTrue, kSettable},
    {CKA_VERIFY_RECOVER, kRsaPub, kTrue, kSettable},
    {CKA_VERIFY_RECOVER, kEcPub, kFalse, kSettable},
    {CKA_WRAP, kRsaPub, kTrue, kSettable},
    {CKA_WRAP, kEcPub, kFalse, kSettable},
    {CKA_TRUSTED, kPub | kSecret, kFalse, kSoTrue},
    {CKA_WRAP_TEMPLATE, kPub | kSecret, kEmpty},
    {CKA_PUBLIC_KEY_INFO, kPub | kPriv, kPresent},
    // 4.9 Private keys
    {CKA_SENSITIVE, kPriv, kTrue, kSettable | kOnlyToTrue},
    {CKA_DECRYPT, kRsaPriv, kTrue, kSettable},
    {CKA_DECRYPT, kEcPriv, kFalse, kSettable},
    {CKA_SIGN, kPriv, kTrue, kSettable},
    {CKA_SIGN_RECOVER, kRsaPriv, kTrue, kSettable},
    {CKA_SIGN_RECOVER, kEcPriv, kFalse, kSettable},
    {CKA_UNWRAP, kRsaPriv, kTrue, kSettable},
    {CKA_UNWRAP, kEcPriv, kFalse, kSettable},
    {CKA_EXTRACTABLE, kPriv, kFalse, kSettable | kOnlyToFalse},
    {CKA_ALWAYS_SENSITIVE, kPriv | kSecret, kFalse, kByTokenOnly},
    {CKA_NEVER_EXTRACTABLE, kPriv | kSecret, kFalse, kByTokenOnly},
    {CKA_WRAP_WITH_TRUSTED, kPriv | kSecret, kFalse, kSettable | kOnlyToTrue},
    {CKA_UNWRAP_TEMPLATE, kPriv | kSecret, kEmpty},
    {CKA_DERIVE_TEMPLATE, kPriv | kSecret, kEmpty},
    {CKA_ALWAYS_AUTHENTICATE, kPriv, kFalse},
    // 4.10 Secret keys
    {CKA_SENSITIVE, kSecret, kTrue, kSettable | kOnlyToTrue},
    {CKA_ENCRYPT, kAes, kTrue, kSettable},
    {CKA_ENCRYPT, kGeneric, kFalse, kSettable},
    {CKA_DECRYPT, kAes, kTrue, kSettable},
    {CKA_DECRYPT, kGeneric, kFalse, kSettable},
    {CKA_SIGN, kSecret, kTrue, kSettable},
    {CKA_VERIFY, kSecret, kTrue, kSettable},
    {CKA_WRAP, kAes, kTrue, kSettable},
    {CKA_WRAP, kGeneric, kFalse, kSettable},
    {CKA_UNWRAP, kAes, kTrue, kSettable},
    {CKA_UNWRAP, kGeneric, kFalse, kSettable},
    {CKA_EXTRACTABLE, kSecret, kFalse, kSettable | kOnlyToFalse},
    {CKA_CHECK_VALUE, kSecret, kPresent},
    // Mechanisms document: RSA, EC, generic secret and AES keys
    {CKA_MODULUS, kRsaPub, kPresent, kNeeded | kNotInGenerate},
    {CKA_MODULUS_BITS, kRsaPub, kPresent, kNotInCreate | kForGenerate},
    {CKA_PUBLIC_EXPONENT, kRsaPub, kPresent, kNeeded},
    {CKA_MODULUS, kRsaPriv, kPresent, kNeeded | kNotInGenerate | kNotInUnwrap},
    {CKA_PUBLIC_EXPONENT, kRsaPriv, kPresent, kNotInGenerate | kNotInUnwrap},
    {CKA_PRIVATE_EXPONENT, kRsaPriv, kHidden, kNeeded | kNotInGenerate | kNotInUnwrap},
    {CKA_PRIME_1, kRsaPriv, kHidden, kNotInGenerate | kNotInUnwrap},
    {CKA_PRIME_2, kRsaPriv, kHidden, kNotInGenerate | kNotInUnwrap},
    {CKA_EXPONENT_1, kRsaPriv, kHidden, kNotInGenerate | kNotInUnwrap},
    {CKA_EXPONENT_2, kRsaPriv, kHidden, kNotInGenerate | kNotInUnwrap},
    {CKA_COEFFICIENT, kRsaPriv, kHidden, kNotInGenerate | kNotInUnwrap},
    {CKA_EC_PARAMS, kEcPub, kPresent, kNeeded | kForGenerate},
    {CKA_EC_POINT, kEcPub, kPresent, kNeeded | kNotInGenerate},
    {CKA_EC_PARAMS, kEcPriv, kPresent, kNeeded | kNotInGenerate | kNotInUnwrap},
    {CKA_VALUE, kEcPriv, kHidden, kNeeded | kNotInGenerate | kNotInUnwrap},
    {CKA_VALUE, kSecret, kHidden, kNeeded | kNotInGenerate | kNotInUnwrap},
    {CKA_VALUE_LEN, kSecret, kPresent, kNotInCreate | kForGenerate},
    // The module's own
    {CKA_KEYSCOPE_SCOPE, kKeys | kCert, kPresent},
    {CKA_EC_POINT, kEcPriv, kPresent, kNotInGenerate | kNotInUnwrap},
};

// A value that an attribute with this one can be set to.
Bytes Other(CK_ATTRIBUTE_TYPE type, const Bytes& value) {
  if (type == CKA_NAME_HASH_ALGORITHM) return BytesOf(CKM_SHA256);
  if ((type & CKF_ARRAY_ATTRIBUTE) != 0 && value.empty())
    return BytesOf(CK_ATTRIBUTE{CKA_LABEL, nullptr, 0});
  if (value.size() == 1) return {static_cast<uint8_t>(value[0] == CK_TRUE ? CK_FALSE : CK_TRUE)};
  if (value.empty()) return Copy(AsBytes("20300101"));  // also a date
  return Bytes(value.size(), 0x33);
}

class AttributeRules : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    const Certificate certificate = SelfSigned();
    const Key rsa = NewRsa(2048), ec = NewEc("P-256");
    templates[kData] = {{CKA_CLASS, CKO_DATA}};
    templates[kCert] = {{CKA_CLASS, CKO_CERTIFICATE},
                        {CKA_CERTIFICATE_TYPE, CKC_X_509},
                        {CKA_VALUE, certificate.der}};
    templates[kRsaPub] = PublicTemplate(rsa);
    templates[kEcPub] = PublicTemplate(ec);
    templates[kRsaPriv] = PrivateTemplate(rsa);
    templates[kEcPriv] = PrivateTemplate(ec);
    for (auto [kind, type] : {std::pair{kAes, CKK_AES}, std::pair{kGeneric, CKK_GENERIC_SECRET}})
      templates[kind] = {
          {CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, type}, {CKA_VALUE, Pattern(16)}};
  }

  void ExpectValue(const AttributeRow& row, CK_OBJECT_HANDLE object) {
    if (row.value == kHidden || row.value == kAbsent) {
      EXPECT_RV(row.value == kHidden ? CKR_ATTRIBUTE_SENSITIVE : CKR_ATTRIBUTE_TYPE_INVALID,
                TryGet(session, object, row.type));
      return;
    }
    const Bytes value = Get(session, object, row.type);
    switch (row.value) {
      case kFalse:
        EXPECT_EQ(value, Bytes{CK_FALSE});
        break;
      case kTrue:
        EXPECT_EQ(value, Bytes{CK_TRUE});
        break;
      case kEmpty:
        EXPECT_TRUE(value.empty()) << Hex(value);
        break;
      case kZero:
        EXPECT_EQ(value, BytesOf(CK_ULONG{0}));
        break;
      case kUnknown:
        EXPECT_EQ(value, BytesOf(CK_UNAVAILABLE_INFORMATION));
        break;
      default:
        EXPECT_FALSE(value.empty());
        break;
    }
  }

  void ExpectChange(const AttributeRow& row, CK_OBJECT_HANDLE object) {
    const bool readable = row.value != kHidden && row.value != kAbsent;
    const Bytes before = readable ? Get(session, object, row.type) : Pattern(16);
    const bool is_true = before == Bytes{CK_TRUE};
    const bool allowed = (row.notes & kSettable) != 0 &&
                         !((row.notes & kOnlyToTrue) != 0 && is_true) &&
                         !((row.notes & kOnlyToFalse) != 0 && !is_true);
    EXPECT_RV(allowed ? CKR_OK : CKR_ATTRIBUTE_READ_ONLY,
              Set(session, object, {{row.type, Other(row.type, before)}}));
    if (!readable) return;
    EXPECT_EQ(Get(session, object, row.type), allowed ? Other(row.type, before) : before);
  }

  // Runs `test` with every kind and every row that has it.
  template <typename Test>
  void ForEachRow(Test test) {
    for (auto [kind, name] : kKinds) {
      for (const AttributeRow& row : kAttributes) {
        if ((row.kinds & kind) == 0) continue;
        SCOPED_TRACE(testing::Message() << name << " attribute 0x" << std::hex << row.type);
        test(kind, row);
      }
    }
  }
  std::map<Kind, Attributes> templates;
};

TEST_F(AttributeRules, DefaultsAndReading) {
  std::map<Kind, CK_OBJECT_HANDLE> objects;
  for (auto& [kind, attributes] : templates) objects[kind] = Create(session, attributes);
  ForEachRow([&](Kind kind, const AttributeRow& row) { ExpectValue(row, objects[kind]); });
}

TEST_F(AttributeRules, Changing) {
  for (bool token : {false, true}) {
    std::map<Kind, CK_OBJECT_HANDLE> objects;
    for (auto& [kind, attributes] : templates)
      objects[kind] = Create(session, attributes.With({{CKA_TOKEN, token}}));
    ForEachRow([&](Kind kind, const AttributeRow& row) { ExpectChange(row, objects[kind]); });
  }
}

TEST_F(AttributeRules, OfOtherClassesThereAreNone) {
  for (auto [kind, name] : kKinds) {
    const CK_OBJECT_HANDLE object = Create(session, templates[kind]);
    for (const AttributeRow& row : kAttributes) {
      bool has = false;
      for (const AttributeRow& other : kAttributes)
        has |= other.type == row.type && (other.kinds & kind) != 0;
      if (has) continue;
      SCOPED_TRACE(testing::Message() << name << " attribute 0x" << std::hex << row.type);
      EXPECT_RV(CKR_ATTRIBUTE_TYPE_INVALID, TryGet(session, object, row.type));
      for (const Bytes& value : {Bytes{CK_TRUE}, Pattern(8)}) {
        const CK_RV set = Set(session, object, {{row.type, value}});
        const CK_RV create = TryCreate(session, templates[kind].With({{row.type, value}}));
        for (CK_RV rv : {set, create})
          EXPECT_TRUE(rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID) << rv;
      }
    }
  }
}

TEST_F(AttributeRules, Creating) {
  ForEachRow([&](Kind kind, const AttributeRow& row) {
    if (row.notes & kNeeded) {
      EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryCreate(session, templates[kind].Without(row.type)));
    }
    if (row.notes & kNotInCreate) {
      const Bytes value = Get(session, Create(session, templates[kind]), row.type);
      EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
                TryCreate(session, templates[kind].With({{row.type, value}})));
    }
    if (row.notes & kSoTrue) {
      EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
                TryCreate(session, templates[kind].With({{row.type, true}})));
    }
  });
}

// A new attribute of the module's table needs its row here. The module's own are tested where they
// are used.
TEST_F(AttributeRules, NoneIsForgotten) {
  const auto has_row = [](CK_ATTRIBUTE_TYPE type, unsigned kind) {
    return std::ranges::any_of(kAttributes, [&](const AttributeRow& row) {
      return row.type == type && (row.kinds & kind) != 0;
    });
  };
  for (const token::AttributeRule& rule : token::AttributeRules()) {
    if (rule.type >= CKA_VENDOR_DEFINED) continue;
    for (auto [kind, name] : kKinds) {
      if ((rule.kinds & kind) == 0) continue;
      EXPECT_TRUE(has_row(rule.type, kind)) << rule.name << " of " << name;
    }
  }
}

TEST_F(AttributeRules, Generating) {
  ForEachRow([&](Kind kind, const AttributeRow& row) {
    if ((kind & kKeys) == 0 || (row.notes & (kForGenerate | kNotInGenerate)) == 0) return;
    // The kind's own half, and the other one.
    const bool rsa = (kind & (kRsaPub | kRsaPriv)) != 0, is_secret = (kind & kSecret) != 0;
    Attributes own, other;
    const Attributes spec = is_secret ? Attributes{{CKA_VALUE_LEN, 16}}
                            : rsa     ? Attributes{{CKA_MODULUS_BITS, 2048}}
                                      : Attributes{{CKA_EC_PARAMS, P256().params}};
    ((kind & kPriv) != 0 ? other : own) = spec;
    CK_RV expected = CKR_TEMPLATE_INCOMPLETE;
    if (row.notes & kForGenerate) {
      own = own.Without(row.type);
    } else {
      const Bytes value = row.value == kHidden
                              ? Pattern(16)
                              : Get(session, Create(session, templates[kind]), row.type);
      own = own.With({{row.type, value}});
      expected = CKR_ATTRIBUTE_READ_ONLY;
    }
    KeyPair pair;
    CK_OBJECT_HANDLE key;
    if (is_secret) {
      const Mechanism mechanism(kind == kAes ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN);
      EXPECT_RV(expected, C_GenerateKey(session, mechanism.get(), own.data(), own.size(), &key));
    } else {
      const bool is_private = (kind & kPriv) != 0;
      EXPECT_RV(expected,
                TryGeneratePair(session, rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN,
                                is_private ? other : own, is_private ? own : other, pair));
    }
  });
}

TEST_F(AttributeRules, Unwrapping) {
  const CK_OBJECT_HANDLE wrapper = ImportAes(session, Pattern(16));
  ForEachRow([&](Kind kind, const AttributeRow& row) {
    if ((kind & (kPriv | kSecret)) == 0 || (row.notes & kNotInUnwrap) == 0) return;
    const Bytes value = row.value == kHidden
                            ? Pattern(16)
                            : Get(session, Create(session, templates[kind]), row.type);
    const bool secret = (kind & kSecret) != 0;
    Attributes attributes{{CKA_CLASS, secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY},
                          {CKA_KEY_TYPE, kind == kAes       ? CKK_AES
                                         : kind == kGeneric ? CKK_GENERIC_SECRET
                                         : kind == kRsaPriv ? CKK_RSA
                                                            : CKK_EC},
                          {row.type, value}};
    Bytes wrapped = WrapAes("AES-128-WRAP", Pattern(16), Pattern(16));
    CK_OBJECT_HANDLE key;
    EXPECT_RV(CKR_ATTRIBUTE_READ_ONLY,
              C_UnwrapKey(session, Mechanism(CKM_AES_KEY_WRAP).get(), wrapper, wrapped.data(),
                          wrapped.size(), attributes.data(), attributes.size(), &key));
  });
}

TEST_F(AttributeRules, OnlyTheSoTrusts) {
  const CK_SESSION_HANDLE so = session;
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(Login(so, CKU_SO, kSoPin));
  const CK_OBJECT_HANDLE certificate = Create(so, templates[kCert].With({{CKA_TRUSTED, true}}));
  EXPECT_TRUE(GetBool(so, certificate, CKA_TRUSTED));
  const CK_OBJECT_HANDLE key =
      Create(so, templates[kRsaPub].With({{CKA_TOKEN, true}, {CKA_TRUSTED, true}}));
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  EXPECT_TRUE(GetBool(session, key, CKA_TRUSTED));
  CK_OBJECT_HANDLE copy;
  ASSERT_OK(C_CopyObject(session, key, nullptr, 0, &copy));
  EXPECT_FALSE(GetBool(session, copy, CKA_TRUSTED)) << "the user's copy may have other uses";
  ASSERT_OK(Set(session, key, {{CKA_LABEL, "another"}}));
  EXPECT_TRUE(GetBool(session, key, CKA_TRUSTED));
  ASSERT_OK(Set(session, key, {{CKA_WRAP, !GetBool(session, key, CKA_WRAP)}}));
  EXPECT_FALSE(GetBool(session, key, CKA_TRUSTED)) << "as a key that has got another use";
}

// Absent and empty are not the same: what an object has not, its copy does not get.
TEST_F(AttributeRules, ACopyGetsNoEmptyAttributes) {
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16)),
                         key = GenerateEc(session).private_key;
  for (CK_ATTRIBUTE_TYPE type :
       {CKA_KEYSCOPE_PCR_SELECTION, CKA_ALLOWED_MECHANISMS, CKA_KEYSCOPE_TPM_NAME, CKA_VALUE}) {
    Attributes empty{{type, Bytes()}};
    CK_OBJECT_HANDLE copy;
    EXPECT_NE(CKR_OK, C_CopyObject(session, key, empty.data(), 1, &copy)) << type;
    EXPECT_NE(CKR_OK, C_CopyObject(session, aes, empty.data(), 1, &copy)) << type;
  }
}

// Without its login a value cannot be opened; the others are told all the same.
TEST_F(AttributeRules, APublicKeysValueNeedsTheLogin) {
  ImportAes(session, Pattern(16),
            {{CKA_TOKEN, true}, {CKA_PRIVATE, false}, {CKA_LABEL, "open"}, {CKA_ID, Pattern(3)}});
  ASSERT_OK(C_Logout(session));
  const auto found = Find(session, {{CKA_LABEL, "open"}});
  ASSERT_EQ(found.size(), 1U);
  char label[10] = {};
  uint8_t value[50] = {}, id[50] = {};
  CK_ATTRIBUTE wanted[] = {
      {CKA_LABEL, label, sizeof label}, {CKA_VALUE, value, 50}, {CKA_ID, id, 50}};
  EXPECT_RV(CKR_ATTRIBUTE_SENSITIVE, C_GetAttributeValue(session, found[0], wanted, 3));
  EXPECT_EQ(wanted[0].ulValueLen, 4U);
  EXPECT_EQ(wanted[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(wanted[2].ulValueLen, 3U);
}

TEST_F(AttributeRules, GeneratedKeysTellTheirHistory) {
  const KeyPair ec = GenerateEc(session);
  for (CK_OBJECT_HANDLE key : {ec.public_key, ec.private_key}) {
    EXPECT_TRUE(GetBool(session, key, CKA_LOCAL));
    EXPECT_EQ(GetUlong(session, key, CKA_KEY_GEN_MECHANISM), CKM_EC_KEY_PAIR_GEN);
  }
  EXPECT_TRUE(GetBool(session, ec.private_key, CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(GetBool(session, ec.private_key, CKA_NEVER_EXTRACTABLE));
  for (bool open : {false, true}) {
    Attributes attributes{{CKA_VALUE_LEN, 32}, {CKA_SENSITIVE, !open}, {CKA_EXTRACTABLE, open}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    ASSERT_OK(C_GenerateKey(session, Mechanism(CKM_AES_KEY_GEN).get(), attributes.data(),
                            attributes.size(), &key));
    EXPECT_TRUE(GetBool(session, key, CKA_LOCAL));
    EXPECT_EQ(GetBool(session, key, CKA_ALWAYS_SENSITIVE), !open);
    EXPECT_EQ(GetBool(session, key, CKA_NEVER_EXTRACTABLE), !open);
    // Closed later, it still says that it was open once.
    ASSERT_OK(Set(session, key, {{CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false}}));
    EXPECT_EQ(GetBool(session, key, CKA_ALWAYS_SENSITIVE), !open);
    EXPECT_EQ(GetBool(session, key, CKA_NEVER_EXTRACTABLE), !open);
  }
}

// Section 4.10.2 and CLIENTS.md's trap 5: values that clients compute themselves.
TEST_F(AttributeRules, ValuesAreEncodedAsTheSpecificationSays) {
  const KeyPair p521 = GenerateEc(session, Curves()[2]);
  const Bytes point = Get(session, p521.public_key, CKA_EC_POINT);
  EXPECT_EQ(Hex(ByteView(point).first(4)), "04818504");
  EXPECT_EQ(
      point,
      OctetString(RawPoint(FromPublicKeyInfo(Get(session, p521.public_key, CKA_PUBLIC_KEY_INFO)))));
  EXPECT_EQ(Get(session, p521.private_key, CKA_PUBLIC_KEY_INFO),
            Get(session, p521.public_key, CKA_PUBLIC_KEY_INFO));
  const Bytes zeros = Cipher("ECB", true, Pattern(16), {}, Bytes(16, 0));
  EXPECT_EQ(Get(session, ImportAes(session, Pattern(16)), CKA_CHECK_VALUE),
            Bytes(zeros.begin(), zeros.begin() + 3));
  const Bytes sha1 = Digest("SHA1", Pattern(16));
  EXPECT_EQ(Get(session, ImportSecret(session, Pattern(16)), CKA_CHECK_VALUE),
            Bytes(sha1.begin(), sha1.begin() + 3));
}

TEST_F(AttributeRules, TheScopeIsTheSlots) {
  EXPECT_EQ(GetUlong(session, GenerateEc(session).private_key, CKA_KEYSCOPE_SCOPE),
            KEYSCOPE_SCOPE_MACHINE);
  const CK_SESSION_HANDLE user = OpenLoggedIn(kUserSlot);
  EXPECT_EQ(GetUlong(user, GenerateEc(user).private_key, CKA_KEYSCOPE_SCOPE), KEYSCOPE_SCOPE_USER);
  EXPECT_OK(TryCreate(user, templates[kEcPub].With({{CKA_KEYSCOPE_SCOPE, KEYSCOPE_SCOPE_USER}})));
  KeyPair pair;
  EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
            TryGeneratePair(user, CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, P256().params}},
                            {{CKA_KEYSCOPE_SCOPE, KEYSCOPE_SCOPE_MACHINE}}, pair));
  EXPECT_RV(
      CKR_TEMPLATE_INCONSISTENT,
      TryCreate(user, templates[kEcPub].With({{CKA_KEYSCOPE_SCOPE, KEYSCOPE_SCOPE_MACHINE}})));
}

}  // namespace
}  // namespace keyscope::test
