#include "cli/uri.h"

#include <gmock/gmock.h>

#include "cli/error.h"

namespace keyscope::cli {
namespace {

using testing::HasSubstr;

std::string WhyRefused(const std::string& text) {
  try {
    ParseUri(text);
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(Uri, ReadsPkcs11) {
  const Uri uri = ParseUri(
      "pkcs11:token=My%20token;object=web%3B1;id=%01%ff;type=private;slot-id=0?pin-value=12%2634");
  EXPECT_EQ(uri.kind, Uri::Kind::Pkcs11);
  EXPECT_EQ(uri.token, "My token");
  EXPECT_EQ(uri.name, "web;1");
  EXPECT_EQ(uri.id, (Bytes{1, 255}));
  EXPECT_EQ(uri.pin_value, "12&34");
  EXPECT_EQ(uri.scope(), KeyScope::Machine);
}

TEST(Uri, ReadsTpmkms) {
  const Uri uri =
      ParseUri("tpmkms:name=web;attest-by=ak1;qualifying-data=DEADbeef;key-scope=machine");
  EXPECT_EQ(uri.kind, Uri::Kind::Tpmkms);
  EXPECT_EQ(uri.name, "web");
  EXPECT_EQ(uri.attest_by, "ak1");
  EXPECT_EQ(uri.qualifying_data, (Bytes{0xde, 0xad, 0xbe, 0xef}));
  EXPECT_EQ(uri.scope(), KeyScope::Machine);
  EXPECT_TRUE(ParseUri("tpmkms:name=a;ak=true").ak);
  EXPECT_FALSE(ParseUri("tpmkms:name=a;ak=false;attest-by=b").ak);
}

TEST(Uri, DerivesAnUnsetScopeFromTheStoreLocation) {
  EXPECT_EQ(ParseUri("tpmkms:name=a").scope(), KeyScope::User);
  EXPECT_EQ(ParseUri("tpmkms:name=a;store-location=machine").scope(), KeyScope::Machine);
  EXPECT_EQ(ParseUri("tpmkms:name=a;store-location=user").scope(), KeyScope::User);
  EXPECT_EQ(ParseUri("pkcs11:object=a").scope(), KeyScope::User);
}

TEST(Uri, KeepsScopeAndStoreLocationApart) {
  const Uri uri = ParseUri("tpmkms:name=a;key-scope=user;store-location=machine");
  EXPECT_EQ(uri.scope(), KeyScope::User);
  EXPECT_EQ(uri.location(), KeyScope::Machine);
  EXPECT_EQ(ParseUri("tpmkms:name=a;key-scope=machine").location(), KeyScope::Machine);
}

TEST(Uri, RefusesAkWithAttestBy) {
  EXPECT_THAT(WhyRefused("tpmkms:name=a;ak=true;attest-by=b"), HasSubstr("exclude each other"));
  EXPECT_THAT(WhyRefused("pkcs11:object=a?ak=true&attest-by=b"), HasSubstr("exclude each other"));
}

TEST(Uri, RefusesEveryOtherScope) {
  for (const char* scope : {"", "Machine", "USER", "both", "0", "machine%00", "user%20"}) {
    EXPECT_THAT(WhyRefused(std::string("tpmkms:name=a;key-scope=") + scope),
                HasSubstr("machine or user"));
    EXPECT_THAT(WhyRefused(std::string("tpmkms:name=a;store-location=") + scope),
                HasSubstr("machine or user"));
  }
  EXPECT_THAT(WhyRefused("pkcs11:object=a;slot-id=2"), HasSubstr("no slot 2"));
  EXPECT_THAT(WhyRefused("pkcs11:object=a;slot-id=0?key-scope=user"), HasSubstr("contradict"));
  EXPECT_THAT(WhyRefused("pkcs11:key-scope=user;slot-id=0"), HasSubstr("contradict"));
}

TEST(Uri, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(WhyRefused("https://example.org"), HasSubstr("neither"));
  EXPECT_THAT(WhyRefused(""), HasSubstr("neither"));
  EXPECT_THAT(WhyRefused("tpmkms:name=a;nmae=b"), HasSubstr("unknown attribute 'nmae'"));
  EXPECT_THAT(WhyRefused("pkcs11:name=a"), HasSubstr("unknown attribute 'name'"));
  EXPECT_THAT(WhyRefused("tpmkms:name=a;name=b"), HasSubstr("twice"));
  EXPECT_THAT(WhyRefused("tpmkms:name"), HasSubstr("name=value"));
  EXPECT_THAT(WhyRefused("pkcs11:object=%4"), HasSubstr("percent"));
  EXPECT_THAT(WhyRefused("pkcs11:object=%zz"), HasSubstr("percent"));
  EXPECT_THAT(WhyRefused("pkcs11:type=data"), HasSubstr("no key"));
  EXPECT_THAT(WhyRefused("tpmkms:serial=12xy"), HasSubstr("no serial number"));
  EXPECT_THAT(WhyRefused("tpmkms:sha1=abc"), HasSubstr("hexadecimal"));
  EXPECT_THAT(WhyRefused("tpmkms:name=a;ak=yes"), HasSubstr("true or false"));
  EXPECT_THAT(WhyRefused("tpmkms:name=a;qualifying-data=xyz"), HasSubstr("hexadecimal"));
  EXPECT_THAT(WhyRefused("tpmkms:name=a;qualifying-data=" + std::string(130, 'a')),
              HasSubstr("64 bytes"));
}

TEST(Uri, PrintsWhatItReads) {
  for (const char* text :
       {"tpmkms:name=ak1;ak=true;key-scope=machine",
        "tpmkms:name=key1;attest-by=ak1;key-scope=machine;store-location=machine",
        "tpmkms:name=a%20b;qualifying-data=0102;key-scope=user",
        "tpmkms:serial=0123;issuer=The%20CA;sha1=0a0b;key-scope=user"})
    EXPECT_EQ(Print(ParseUri(text)), text);
}

TEST(Uri, AlwaysPrintsTheScope) {
  EXPECT_EQ(Print(ParseUri("tpmkms:name=a")), "tpmkms:name=a;key-scope=user");
  EXPECT_EQ(Print(ParseUri("tpmkms:serial=0x00123")), "tpmkms:serial=0123;key-scope=user");
  EXPECT_EQ(Print(ParseUri("tpmkms:name=a;store-location=machine")),
            "tpmkms:name=a;key-scope=machine;store-location=machine");
  EXPECT_EQ(Print(ParseUri("pkcs11:object=a;id=%0a?pin-value=1234")),
            "pkcs11:object=a;id=%0a;slot-id=1;type=private?key-scope=user");
  EXPECT_EQ(ParseUri(Print(ParseUri("pkcs11:object=a;slot-id=0"))).scope(), KeyScope::Machine);
}

}  // namespace
}  // namespace keyscope::cli
