// Key agreement and derivation, against OpenSSL.
#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

const Attributes kReadable{{CKA_CLASS, CKO_SECRET_KEY},
                           {CKA_KEY_TYPE, CKK_GENERIC_SECRET},
                           {CKA_SENSITIVE, false},
                           {CKA_EXTRACTABLE, true}};

class Deriving : public LoggedIn {
 protected:
  CK_RV TryDerive(const Mechanism& mechanism, CK_OBJECT_HANDLE base, Attributes attributes) {
    derived = CK_INVALID_HANDLE;
    return C_DeriveKey(session, mechanism.get(), base, attributes.data(), attributes.size(),
                       &derived);
  }
  Bytes Derive(const Mechanism& mechanism, CK_OBJECT_HANDLE base, const Attributes& extra = {}) {
    EXPECT_OK(TryDerive(mechanism, base, kReadable.With(extra)));
    return Get(session, derived, CKA_VALUE);
  }
  CK_OBJECT_HANDLE ImportEc(const Key& key) {
    return Create(session, PrivateTemplate(key).With({{CKA_DERIVE, true}}));
  }
  CK_OBJECT_HANDLE derived = CK_INVALID_HANDLE;
};

TEST_F(Deriving, EcdhWithEveryCurveAndKdf) {
  struct Row {
    CK_EC_KDF_TYPE kdf;
    const char* hash;
    CK_ULONG size;
  };
  constexpr Row kKdfs[] = {{CKD_SHA1_KDF, "SHA1", 20},
                           {CKD_SHA224_KDF, "SHA224", 28},
                           {CKD_SHA256_KDF, "SHA256", 32},
                           {CKD_SHA384_KDF, "SHA384", 48},
                           {CKD_SHA512_KDF, "SHA512", 64}};
  for (const CurveRow& curve : Curves()) {
    SCOPED_TRACE(curve.name);
    const Key own = NewEc(curve.name), peer = NewEc(curve.name);
    const CK_OBJECT_HANDLE key = ImportEc(own);
    const Bytes shared = Ecdh(own, peer), raw = RawPoint(peer);
    for (const Bytes& point : {raw, OctetString(raw)}) {
      for (CK_MECHANISM_TYPE type : {CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE})
        EXPECT_EQ(Derive(Ecdh(CKD_NULL, point, {}, type), key), shared);
      EXPECT_EQ(Derive(Ecdh(CKD_NULL, point), key, {{CKA_VALUE_LEN, 16}}),
                Bytes(shared.end() - 16, shared.end()));
      for (const Row& row : kKdfs) {
        SCOPED_TRACE(row.hash);
        EXPECT_EQ(Derive(Ecdh(row.kdf, point), key), X963(row.hash, shared, {}, row.size));
        EXPECT_EQ(Derive(Ecdh(row.kdf, point, Pattern(11)), key, {{CKA_VALUE_LEN, 100}}),
                  X963(row.hash, shared, Pattern(11), 100));
      }
    }
  }
}

TEST_F(Deriving, AGeneratedKeyAgreesWithOpenSsl) {
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_DERIVE, true}, {CKA_TOKEN, true}});
  const Key own = FromPublicKeyInfo(Get(session, pair.public_key, CKA_PUBLIC_KEY_INFO));
  const Key peer = NewEc("P-256");
  EXPECT_EQ(Derive(Ecdh(CKD_NULL, RawPoint(peer)), pair.private_key), Ecdh(peer, own));
}

TEST_F(Deriving, TheResultIsAKeyOfItsTemplate) {
  const Key own = NewEc("P-256"), peer = NewEc("P-256");
  const CK_OBJECT_HANDLE base = ImportEc(own);
  const Mechanism ecdh = Ecdh(CKD_SHA256_KDF, RawPoint(peer));
  ASSERT_OK(TryDerive(ecdh, base,
                      {{CKA_CLASS, CKO_SECRET_KEY},
                       {CKA_KEY_TYPE, CKK_AES},
                       {CKA_VALUE_LEN, 16},
                       {CKA_TOKEN, true}}));
  EXPECT_EQ(GetUlong(session, derived, CKA_VALUE_LEN), 16U);
  EXPECT_FALSE(GetBool(session, derived, CKA_LOCAL));
  EXPECT_TRUE(GetBool(session, derived, CKA_SENSITIVE));
  EXPECT_FALSE(GetBool(session, derived, CKA_ALWAYS_SENSITIVE)) << "the base came from outside";
  EXPECT_FALSE(GetBool(session, derived, CKA_NEVER_EXTRACTABLE));
  const Bytes aes = X963("SHA256", Ecdh(own, peer), {}, 16);
  EXPECT_EQ(Do(kEncrypt, session, CKM_AES_ECB, derived, Pattern(16)),
            Cipher("ECB", true, aes, {}, Pattern(16)));

  const KeyPair pair = GenerateEc(session, P256(), {{CKA_DERIVE, true}});
  ASSERT_OK(TryDerive(ecdh, pair.private_key, {{CKA_CLASS, CKO_SECRET_KEY}}));
  EXPECT_TRUE(GetBool(session, derived, CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(GetBool(session, derived, CKA_NEVER_EXTRACTABLE));
  ASSERT_OK(TryDerive(ecdh, pair.private_key, kReadable));
  EXPECT_FALSE(GetBool(session, derived, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(GetBool(session, derived, CKA_NEVER_EXTRACTABLE));
}

TEST_F(Deriving, BadPointsAreRefused) {
  const CK_OBJECT_HANDLE base = GenerateEc(session, P256(), {{CKA_DERIVE, true}}).private_key;
  Bytes off_curve = RawPoint(NewEc("P-256"));
  off_curve.back() ^= 1;
  Bytes cut = RawPoint(NewEc("P-256"));
  cut.pop_back();
  for (const Bytes& point : {Bytes{}, Bytes{0}, Bytes(65, 4), Bytes(65, 0), Pattern(65), off_curve,
                             cut, OctetString(cut), RawPoint(NewEc("P-384")), Bytes(1000, 4)})
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, TryDerive(Ecdh(CKD_NULL, point), base, kReadable))
        << Hex(point);
}

TEST_F(Deriving, HkdfWithTheSaltOfAKey) {
  const Bytes info = Pattern(10), salt = Pattern(20);
  const CK_OBJECT_HANDLE base = ImportSecret(session, Pattern(40), {{CKA_DERIVE, true}}),
                         key = ImportSecret(session, salt, {{CKA_DERIVE, true}});
  EXPECT_EQ(Derive(HkdfSaltedBy(kSha256, key, info), base),
            Derive(Hkdf(kSha256, true, true, salt, info), base));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, TryDerive(HkdfSaltedBy(kSha256, 0, info), base, kReadable));
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
            TryDerive(HkdfSaltedBy(kSha256, ImportSecret(session, salt), info), base, kReadable))
      << "the HMAC of a key that derives nothing";
  EXPECT_RV(
      CKR_KEY_TYPE_INCONSISTENT,
      TryDerive(HkdfSaltedBy(kSha256, GenerateEc(session).private_key, info), base, kReadable));
}

TEST_F(Deriving, WhatFitsNoKeyOfThatTypeNeedsALength) {
  const KeyPair pair = GenerateEc(session, Curves()[1], {{CKA_DERIVE, true}}, {{CKA_DERIVE, true}});
  const Mechanism ecdh = Ecdh(CKD_NULL, RawPoint(NewEc("P-384")));
  const Attributes aes = kReadable.With({{CKA_KEY_TYPE, CKK_AES}});
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryDerive(ecdh, pair.private_key, aes));
  EXPECT_RV(CKR_ATTRIBUTE_VALUE_INVALID,
            TryDerive(ecdh, pair.private_key, aes.With({{CKA_VALUE_LEN, 17}})));
  EXPECT_OK(TryDerive(ecdh, pair.private_key, aes.With({{CKA_VALUE_LEN, 32}})));
}

TEST_F(Deriving, AnAbsurdLengthCostsNeitherMemoryNorACommand) {
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_DERIVE, true}}, {{CKA_DERIVE, true}});
  const Mechanism ecdh = Ecdh(CKD_SHA256_KDF, RawPoint(NewEc("P-256")));
  proxy().Reset();
  for (CK_ULONG length : {CK_ULONG{1} << 36, ~CK_ULONG{0} - 64})
    EXPECT_RV(CKR_KEY_SIZE_RANGE,
              TryDerive(ecdh, pair.private_key, kReadable.With({{CKA_VALUE_LEN, length}})));
  EXPECT_EQ(proxy().Total(), 0);
}

TEST_F(Deriving, WrongKeysAndTemplates) {
  const KeyPair pair = GenerateEc(session, P256(), {{CKA_DERIVE, true}}, {{CKA_DERIVE, true}});
  const Mechanism ecdh = Ecdh(CKD_NULL, RawPoint(NewEc("P-256")));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, TryDerive(ecdh, 0, kReadable));
  EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT, TryDerive(ecdh, pair.public_key, kReadable));
  EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT,
            TryDerive(ecdh, ImportSecret(session, Pattern(32)), kReadable));
  EXPECT_RV(CKR_KEY_FUNCTION_NOT_PERMITTED,
            TryDerive(ecdh, GenerateEc(session).private_key, kReadable));
  const Attributes bad[] = {kReadable.With({{CKA_VALUE, Pattern(32)}}),
                            kReadable.With({{CKA_CLASS, CKO_PRIVATE_KEY}}),
                            kReadable.With({{CKA_VALUE_LEN, 33}}),
                            kReadable.With({{CKA_VALUE_LEN, 0}}),
                            kReadable.With({{CKA_VALUE_LEN, ~CK_ULONG{0}}}),
                            kReadable.With({{CKA_KEY_TYPE, CKK_AES}, {CKA_VALUE_LEN, 15}}),
                            kReadable.With({{CKA_MODULUS, Pattern(32)}})};
  for (const Attributes& attributes : bad)
    EXPECT_NE(TryDerive(ecdh, pair.private_key, attributes), CKR_OK);
}

TEST_F(Deriving, Hkdf) {
  const CK_OBJECT_HANDLE base = ImportSecret(session, Pattern(40), {{CKA_DERIVE, true}});
  const Bytes salt = Pattern(13), info = Pattern(21);
  for (const HashRow& hash : kHashes) {
    SCOPED_TRACE(hash.name);
    EXPECT_EQ(Derive(Hkdf(hash, true, true, salt, info), base, {{CKA_VALUE_LEN, 77}}),
              HkdfOf(hash.name, "EXTRACT_AND_EXPAND", Pattern(40), salt, info, 77));
    EXPECT_EQ(Derive(Hkdf(hash, true, false, salt, {}), base),
              HkdfOf(hash.name, "EXTRACT_ONLY", Pattern(40), salt, {}, hash.size));
    EXPECT_EQ(Derive(Hkdf(hash, true, false, {}, {}), base),
              HkdfOf(hash.name, "EXTRACT_ONLY", Pattern(40), {}, {}, hash.size));
  }
  EXPECT_EQ(Derive(Hkdf(kSha256, false, true, {}, info), base, {{CKA_VALUE_LEN, 50}}),
            HkdfOf("SHA256", "EXPAND_ONLY", Pattern(40), {}, info, 50));
  EXPECT_RV(CKR_KEY_SIZE_RANGE, TryDerive(Hkdf(kSha256, true, true, salt, info), base,
                                          kReadable.With({{CKA_VALUE_LEN, 255 * 32 + 1}})));
  EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
            TryDerive(Hkdf(kSha256, false, false, salt, info), base, kReadable));
}

TEST_F(Deriving, CounterModeOfSp800108) {
  struct Row {
    CK_MECHANISM_TYPE prf;
    const char* hash;
  };
  constexpr Row kPrfs[] = {{CKM_SHA_1_HMAC, "SHA1"},        {CKM_SHA224_HMAC, "SHA224"},
                           {CKM_SHA256_HMAC, "SHA256"},     {CKM_SHA384_HMAC, "SHA384"},
                           {CKM_SHA512_HMAC, "SHA512"},     {CKM_SHA3_224_HMAC, "SHA3-224"},
                           {CKM_SHA3_256_HMAC, "SHA3-256"}, {CKM_SHA3_384_HMAC, "SHA3-384"},
                           {CKM_SHA3_512_HMAC, "SHA3-512"}, {CKM_AES_CMAC, nullptr}};
  const Attributes derive{{CKA_DERIVE, true}};
  const CK_OBJECT_HANDLE generic = ImportSecret(session, Pattern(40), derive),
                         aes = ImportAes(session, Pattern(32), derive);
  const Bytes label = Pattern(9), context = Pattern(21);
  const Bytes after = Concat({Bytes{0}, context});
  CK_SP800_108_DKM_LENGTH_FORMAT length{CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, CK_FALSE, 32};
  const Bytes fixed = Concat({label, after});
  for (const Row& row : kPrfs) {
    SCOPED_TRACE(row.prf);
    const bool cmac = row.hash == nullptr;
    EXPECT_EQ(Derive(CounterKdf(row.prf, {}, 32, fixed, &length), cmac ? aes : generic,
                     {{CKA_VALUE_LEN, 100}}),
              CounterKdfOf(row.hash, Pattern(cmac ? 32 : 40), label, context, 100));
    EXPECT_RV(CKR_KEY_TYPE_INCONSISTENT,
              TryDerive(CounterKdf(row.prf, {}, 32, fixed, &length), cmac ? generic : aes,
                        kReadable.With({{CKA_VALUE_LEN, 16}})));
  }
  // One block is the PRF of what stands before the counter, the counter, and what stands after.
  const auto block = [&](std::initializer_list<ByteView> parts) {
    return Hmac("SHA256", Pattern(40), Concat(parts));
  };
  const Attributes one{{CKA_VALUE_LEN, 32}};
  const Bytes counter{0, 1}, bits{0, 1, 0}, segments{0, 2, 0};
  EXPECT_EQ(Derive(CounterKdf(CKM_SHA256_HMAC, label, 16, context), generic, one),
            block({label, counter, context}));
  length.ulWidthInBits = 24;
  EXPECT_EQ(Derive(CounterKdf(CKM_SHA256_HMAC, label, 16, context, &length), generic, one),
            block({label, counter, context, bits}));
  length.dkmLengthMethod = CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS;
  const Bytes cut = Derive(CounterKdf(CKM_SHA256_HMAC, label, 16, context, &length), generic,
                           {{CKA_VALUE_LEN, 33}});
  EXPECT_EQ(Bytes(cut.begin(), cut.end() - 1), block({label, counter, context, segments}));
}

TEST_F(Deriving, CounterModeRefusesWhatItCannotDo) {
  const CK_OBJECT_HANDLE base = ImportSecret(session, Pattern(40), {{CKA_DERIVE, true}});
  const Attributes one = kReadable.With({{CKA_VALUE_LEN, 32}});
  const auto with = [&](CK_ULONG counter_bits) {
    return CounterKdf(CKM_SHA256_HMAC, Pattern(3), counter_bits, Pattern(3));
  };
  EXPECT_RV(CKR_TEMPLATE_INCOMPLETE, TryDerive(with(8), base, kReadable));
  EXPECT_OK(TryDerive(with(8), base, kReadable.With({{CKA_VALUE_LEN, 255 * 32}})));
  EXPECT_RV(CKR_KEY_SIZE_RANGE,
            TryDerive(with(8), base, kReadable.With({{CKA_VALUE_LEN, 255 * 32 + 1}})));
  EXPECT_RV(CKR_KEY_SIZE_RANGE, TryDerive(with(8), base, kReadable.With({{CKA_VALUE_LEN, 0}})));
  EXPECT_RV(CKR_KEY_SIZE_RANGE,
            TryDerive(with(8), base, kReadable.With({{CKA_VALUE_LEN, ~CK_ULONG{0}}})));
  for (CK_ULONG bits : {CK_ULONG{0}, CK_ULONG{7}, CK_ULONG{40}, ~CK_ULONG{0}})
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID, TryDerive(with(bits), base, one)) << bits;
  EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
            TryDerive(CounterKdf(CKM_SHA256, {}, 8, Pattern(3)), base, one));
  for (const CK_SP800_108_DKM_LENGTH_FORMAT& length :
       {CK_SP800_108_DKM_LENGTH_FORMAT{3, CK_FALSE, 32},
        CK_SP800_108_DKM_LENGTH_FORMAT{CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, CK_FALSE, 8},
        CK_SP800_108_DKM_LENGTH_FORMAT{CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, CK_FALSE, 72}})
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
              TryDerive(CounterKdf(CKM_SHA256_HMAC, {}, 8, Pattern(3), &length), base, one));

  CK_SP800_108_COUNTER_FORMAT format{CK_FALSE, 8};
  CK_PRF_DATA_PARAM counter{CK_SP800_108_ITERATION_VARIABLE, &format, sizeof format};
  CK_PRF_DATA_PARAM twice[] = {counter, counter};
  CK_PRF_DATA_PARAM short_format[] = {{CK_SP800_108_ITERATION_VARIABLE, &format, 8}};
  CK_PRF_DATA_PARAM null_bytes[] = {counter, {CK_SP800_108_BYTE_ARRAY, nullptr, 5}};
  CK_PRF_DATA_PARAM feedback[] = {counter, {CK_SP800_108_OPTIONAL_COUNTER, &format, sizeof format}};
  CK_DERIVED_KEY more{};
  const CK_SP800_108_KDF_PARAMS bad[] = {{CKM_SHA256_HMAC, 2, twice, 0, nullptr},
                                         {CKM_SHA256_HMAC, 1, short_format, 0, nullptr},
                                         {CKM_SHA256_HMAC, 2, null_bytes, 0, nullptr},
                                         {CKM_SHA256_HMAC, 2, feedback, 0, nullptr},
                                         {CKM_SHA256_HMAC, 1, nullptr, 0, nullptr},
                                         {CKM_SHA256_HMAC, 0, &counter, 0, nullptr},
                                         {CKM_SHA256_HMAC, ~CK_ULONG{0}, &counter, 0, nullptr},
                                         {CKM_SHA256_HMAC, 1, &counter, 1, &more}};
  for (const CK_SP800_108_KDF_PARAMS& parameters : bad)
    EXPECT_RV(CKR_MECHANISM_PARAM_INVALID,
              TryDerive({CKM_SP800_108_COUNTER_KDF, BytesOf(parameters)}, base, one));
}

}  // namespace
}  // namespace keyscope::test
