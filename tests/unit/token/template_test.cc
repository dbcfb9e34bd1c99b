#include "token/template.h"

#include <gtest/gtest.h>

#include "tests/unit/token/rv_of.h"

namespace keyscope::token {
namespace {

CK_RV Parse(CK_ATTRIBUTE attribute) {
  return RvOf([&] { ParseTemplate({&attribute, 1}); });
}

CK_BBOOL yes = CK_TRUE, two = 2;
CK_ULONG number = 7;
char text[] = "abc";

TEST(ParseTemplate, RefusesBadPointersAndSizes) {
  EXPECT_EQ(Parse({CKA_LABEL, nullptr, 0}), CKR_OK);
  EXPECT_EQ(Parse({CKA_LABEL, nullptr, 1}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_LABEL, text, ~CK_ULONG{0}}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_LABEL, text, ~CK_ULONG{0} - 7}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_TOKEN, &yes, 0}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_TOKEN, &number, 2}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_TOKEN, &two, 1}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_CLASS, &number, sizeof number / 2}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_ALLOWED_MECHANISMS, &number, sizeof number - 1}),
            CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_START_DATE, text, 3}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_START_DATE, const_cast<char*>("2026112x"), 8}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Parse({CKA_START_DATE, const_cast<char*>("20261124"), 8}), CKR_OK);
  EXPECT_EQ(Parse({0x7fffffff, text, 3}), CKR_ATTRIBUTE_TYPE_INVALID);
}

TEST(ParseTemplate, TheSameAttributeTwice) {
  CK_ATTRIBUTE twice[] = {{CKA_LABEL, text, 3}, {CKA_LABEL, text, 3}};
  EXPECT_EQ(RvOf([&] { ParseTemplate(twice); }), CKR_OK);
  twice[1].ulValueLen = 2;
  EXPECT_EQ(RvOf([&] { ParseTemplate(twice); }), CKR_TEMPLATE_INCONSISTENT);
}

TEST(ParseSearch, WhatNoObjectCanHaveMatchesNothing) {
  CK_ATTRIBUTE unknown{0x7fffffff, text, 3}, short_number{CKA_CLASS, &number, sizeof number / 2};
  EXPECT_EQ(ParseSearch({&unknown, 1}), std::nullopt);
  EXPECT_EQ(ParseSearch({&short_number, 1}), std::nullopt);
  CK_ATTRIBUTE bad{CKA_LABEL, nullptr, 3};
  EXPECT_EQ(RvOf([&] { ParseSearch({&bad, 1}); }), CKR_ATTRIBUTE_VALUE_INVALID);
}

TEST(CheckChange, StickyAttributesGoOneWay) {
  AttributeSet current, on, off;
  current.SetBool(CKA_SENSITIVE, true);
  on.SetBool(CKA_SENSITIVE, true);
  off.SetBool(CKA_SENSITIVE, false);
  auto change = [&](const AttributeSet& changes) {
    return RvOf([&] { CheckChange(current, changes, kAes, false, false); });
  };
  EXPECT_EQ(change(on), CKR_OK);
  EXPECT_EQ(change(off), CKR_ATTRIBUTE_READ_ONLY);
  current.SetBool(CKA_SENSITIVE, false);
  EXPECT_EQ(change(on), CKR_OK);

  AttributeSet extractable;
  extractable.SetBool(CKA_EXTRACTABLE, true);
  current.SetBool(CKA_EXTRACTABLE, false);
  EXPECT_EQ(change(extractable), CKR_ATTRIBUTE_READ_ONLY);
}

TEST(CheckChange, TrustedIsForTheSecurityOfficer) {
  AttributeSet current, trusted;
  current.SetBool(CKA_TRUSTED, false);
  trusted.SetBool(CKA_TRUSTED, true);
  auto change = [&](bool is_so) {
    return RvOf([&] { CheckChange(current, trusted, kCertificate, false, is_so); });
  };
  EXPECT_EQ(change(false), CKR_ATTRIBUTE_READ_ONLY);
  EXPECT_EQ(change(true), CKR_OK);
}

TEST(KindOfTemplate, NeedsClassAndKeyType) {
  AttributeSet attributes;
  auto kind = [&] { return RvOf([&] { KindOfTemplate(attributes); }); };
  EXPECT_EQ(kind(), CKR_TEMPLATE_INCOMPLETE);
  attributes.SetUlong(CKA_CLASS, CKO_SECRET_KEY);
  EXPECT_EQ(kind(), CKR_TEMPLATE_INCOMPLETE);
  attributes.SetUlong(CKA_KEY_TYPE, CKK_DSA);
  EXPECT_EQ(kind(), CKR_ATTRIBUTE_VALUE_INVALID);
  attributes.SetUlong(CKA_KEY_TYPE, CKK_AES);
  EXPECT_EQ(kind(), CKR_OK);
  attributes.SetUlong(CKA_CLASS, 0x4242);
  EXPECT_EQ(kind(), CKR_ATTRIBUTE_VALUE_INVALID);
}

}  // namespace
}  // namespace keyscope::token
