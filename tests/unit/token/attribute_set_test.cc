#include "token/attribute_set.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/ossl.h"
#include "token/attribute_rules.h"

namespace keyscope::token {
namespace {

TEST(AttributeSet, ReadsWhatWasSet) {
  AttributeSet attributes;
  attributes.SetBool(CKA_TOKEN, true);
  attributes.SetUlong(CKA_CLASS, CKO_DATA);
  attributes.Set(CKA_LABEL, AsBytes("name"));
  attributes.SetDefault(CKA_LABEL, AsBytes("other"));
  EXPECT_TRUE(attributes.Bool(CKA_TOKEN));
  EXPECT_FALSE(attributes.Bool(CKA_PRIVATE));
  EXPECT_EQ(attributes.Ulong(CKA_CLASS), CKO_DATA);
  EXPECT_EQ(attributes.Ulong(CKA_KEY_TYPE), std::nullopt);
  EXPECT_EQ(attributes.UlongOr(CKA_KEY_TYPE), CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(AsString(attributes.Get(CKA_LABEL)), "name");
  attributes.Erase(CKA_LABEL);
  EXPECT_FALSE(attributes.Has(CKA_LABEL));
}

TEST(AttributeCodec, RoundTrip) {
  AttributeSet attributes;
  attributes.SetBool(CKA_TOKEN, true);
  attributes.SetUlong(CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION);
  attributes.SetUlong(CKA_CLASS, CKO_PRIVATE_KEY);
  attributes.Set(CKA_LABEL, {});
  const CK_MECHANISM_TYPE allowed[] = {CKM_ECDSA, CKM_ECDSA_SHA256};
  attributes.Set(CKA_ALLOWED_MECHANISMS,
                 {reinterpret_cast<const uint8_t*>(allowed), sizeof allowed});
  const AttributeSet back = Decode(Encode(attributes));
  size_t count = 0;
  for (const auto& [type, value] : attributes) {
    EXPECT_TRUE(back.Has(type));
    EXPECT_TRUE(Equal(back.Get(type), value)) << type;
    ++count;
  }
  EXPECT_EQ(count, static_cast<size_t>(std::distance(back.begin(), back.end())));
}

// A store moves between machines whose CK_ULONG has 4 or 8 bytes.
TEST(AttributeCodec, NumbersAreEightBigEndianBytes) {
  AttributeSet attributes;
  attributes.SetUlong(CKA_CLASS, 3);
  EXPECT_EQ(Hex(Encode(attributes)),
            "00000000"
            "00000008"
            "0000000000000003");
  attributes.SetUlong(CKA_CLASS, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(Hex(Encode(attributes)),
            "00000000"
            "00000008"
            "ffffffffffffffff");
}

TEST(AttributeCodec, WhatThisWidthCannotTellIsUnavailable) {
  const Bytes stored = {0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0};
  const CK_ULONG wide =
      sizeof(CK_ULONG) == 8 ? static_cast<CK_ULONG>(0x1'0000'0000) : CK_UNAVAILABLE_INFORMATION;
  EXPECT_EQ(Decode(stored).Ulong(CKA_CLASS), wide);
}

// The index holds values as callers give them, so none may be a number, whose width differs.
TEST(AttributeRules, NoNumberIsIndexed) {
  for (CK_ATTRIBUTE_TYPE type = 0; type < 0x1000; ++type) {
    const AttributeRule* rule = FindRule(type);
    if (rule == nullptr || !rule->Has(kIndexed)) continue;
    EXPECT_NE(rule->value, ValueKind::Ulong) << rule->name;
    EXPECT_NE(rule->value, ValueKind::MechanismList) << rule->name;
  }
}

TEST(AttributeCodec, DamagedInputIsCorruptAndNeverCrashes) {
  AttributeSet attributes;
  attributes.SetUlong(CKA_CLASS, CKO_DATA);
  attributes.Set(CKA_LABEL, AsBytes("label"));
  const Bytes good = Encode(attributes);
  for (size_t size = 1; size < good.size(); ++size) {
    const ByteView cut = ByteView(good).first(size);
    if (size == 16) continue;  // a whole first attribute
    EXPECT_THROW(Decode(cut), Error) << size;
  }
  for (int round = 0; round < 2000; ++round) {
    const Bytes garbage = ossl::Random(static_cast<size_t>(round % 64));
    try {
      Decode(garbage);
    } catch (const Error& error) {
      EXPECT_TRUE(error.Is(Fault::Corrupt));
    }
  }
}

TEST(AttributeRules, OneRowForEachTypeAndKind) {
  for (const AttributeRule& a : AttributeRules()) {
    EXPECT_EQ(FindRule(a.type)->value, a.value) << a.name << ": one value kind for all";
    for (const AttributeRule& b : AttributeRules())
      if (&a != &b && a.type == b.type) {
        EXPECT_EQ(a.kinds & b.kinds, 0) << a.name;
      }
  }
  EXPECT_EQ(FindRule(0x12345678), nullptr);
  EXPECT_EQ(FindRule(CKA_MODULUS, kEcPublic), nullptr);
}

}  // namespace
}  // namespace keyscope::token
