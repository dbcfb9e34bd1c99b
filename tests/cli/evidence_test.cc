// Bundles, WebAuthn statements and the two ways of printing.
#include "cli/evidence.h"

#include <gmock/gmock.h>

#include "cli/encoding.h"
#include "cli/error.h"
#include "cli/output.h"
#include "cli/tpm_structures.h"
#include "cli/verifier.h"
#include "cli/webauthn.h"
#include "tests/cli/statements.h"

namespace keyscope::test {
namespace {

using cli::Evidence;
using cli::EvidenceFromJson;
using cli::Json;

const SoftwareKey& Ak() {
  static const auto& key = *new SoftwareKey(EcKey(kRestrictedSign, true));
  return key;
}

Evidence SomeKey() {
  Evidence evidence = GoodKey(Ak(), EcKey(kSignDecrypt, false), {1, 2}, "keyscope:user");
  evidence.name = "web";
  evidence.scope = KeyScope::User;
  evidence.certificates = {Bytes{0x30, 1, 7}, Bytes{0x30, 1, 8}};
  return evidence;
}

TEST(EvidenceBundle, HasTheFieldsOfGoAttestation) {
  const Evidence evidence = SomeKey();
  const Json json = ToJson(evidence);
  EXPECT_EQ(json["Public"], cli::ToBase64(evidence.key.public_area));
  EXPECT_EQ(json["CreateData"], cli::ToBase64(evidence.key.creation_data));
  EXPECT_EQ(json["CreateAttestation"], cli::ToBase64(evidence.key.certify.attest));
  EXPECT_EQ(json["CreateSignature"], cli::ToBase64(evidence.key.certify.signature));
  EXPECT_EQ(json["keyscope"]["AK"]["Public"], cli::ToBase64(Ak().PublicArea()));
  EXPECT_EQ(json["keyscope"]["scope"], "user");
}

TEST(EvidenceBundle, ComesBackWhole) {
  const Evidence evidence = SomeKey();
  const Evidence back = EvidenceFromJson(ToJson(evidence).dump());
  EXPECT_EQ(ToJson(back), ToJson(evidence));
  EXPECT_EQ(back.certificates, evidence.certificates);
  EXPECT_TRUE(Verify(back, {.nonce = Bytes{1, 2}, .ak_name = Ak().Name()}).Verified());
}

TEST(EvidenceBundle, ReadsGoAttestationsOwn) {
  Json ak = ToJson(GoodAk(Ak(), ""));
  ak.erase("keyscope");
  EXPECT_EQ(EvidenceFromJson(ak.dump()).kind, Evidence::Kind::Ak);
  EXPECT_TRUE(Verify(EvidenceFromJson(ak.dump()), {}).Verified());
  Json key = ToJson(SomeKey());
  key.erase("keyscope");
  EXPECT_EQ(EvidenceFromJson(key.dump()).kind, Evidence::Kind::Key);
}

TEST(EvidenceBundle, RefusesWhatIsNone) {
  for (const char* text :
       {"", "[]", "7", "{", "{}", R"({"Public":7})", R"({"keyscope":7})",
        R"({"keyscope":{"kind":"song"}})", R"({"keyscope":{"kind":"ak"},"Public":"AB*D"})",
        R"({"keyscope":{"kind":"ak","scope":"both"}})", R"({"keyscope":{"kind":"key","AK":[]}})",
        R"({"keyscope":{"kind":"ak","AKCertificates":[7]}})"})
    EXPECT_THROW(EvidenceFromJson(text), cli::Malformed) << text;
}

// A genuine quote with somebody's key beside it would look like evidence of that key.
TEST(EvidenceBundle, RefusesPartsOfAnotherKind) {
  Evidence quote = GoodAk(Ak(), "keyscope:user");
  quote.kind = Evidence::Kind::Quote;
  quote.quote.quote = {Bytes{1}, Bytes{2}};
  const Json key = ToJson(SomeKey());
  for (const char* field : {"Public", "CreateData", "CreateAttestation", "CreateSignature"}) {
    Json mixed = ToJson(quote);
    EXPECT_EQ(EvidenceFromJson(mixed.dump()).kind, Evidence::Kind::Quote);
    mixed[field] = nullptr;  // as Go writes what is absent
    EXPECT_EQ(EvidenceFromJson(mixed.dump()).kind, Evidence::Kind::Quote);
    mixed[field] = key[field];
    EXPECT_THROW(EvidenceFromJson(mixed.dump()), cli::Malformed) << field;
  }
  Json mixed = key;
  mixed["Quote"] = "AQ==";
  EXPECT_THROW(EvidenceFromJson(mixed.dump()), cli::Malformed);
  mixed = ToJson(GoodAk(Ak(), "keyscope:user"));
  mixed["keyscope"]["AKPublic"] = key["Public"];
  EXPECT_THROW(EvidenceFromJson(mixed.dump()), cli::Malformed);
}

TEST(EvidenceBundle, RefusesWhatIsNestedDeeply) {
  for (const char* before : {R"({"keyscope":)", R"({"keyscope":{"AK":)", R"({"Public":)"}) {
    const std::string deep = before + std::string(200'000, '[');
    EXPECT_THROW(EvidenceFromJson(deep), cli::Malformed);
    EXPECT_THROW(EvidenceFromJson(deep + std::string(200'000, ']') + "}}"), cli::Malformed);
  }
}

TEST(Webauthn, IsTheTpmFormat) {
  const Evidence evidence = SomeKey();
  const Json object = Json::from_cbor(WebauthnStatement(evidence));
  EXPECT_EQ(object["fmt"], "tpm");
  const Json& statement = object["attStmt"];
  EXPECT_EQ(statement["ver"], "2.0");
  EXPECT_EQ(statement["alg"], -7);
  EXPECT_EQ(statement["x5c"].size(), 2u);
  EXPECT_EQ(Bytes(statement["x5c"][0].get_binary()), evidence.certificates[0]);
  EXPECT_EQ(Bytes(statement["sig"].get_binary()), evidence.key.certify.signature);
  EXPECT_EQ(Bytes(statement["certInfo"].get_binary()), evidence.key.certify.attest);
  EXPECT_EQ(Bytes(statement["pubArea"].get_binary()), evidence.key.public_area);
}

TEST(Webauthn, BeginsAsRfc8949Says) {
  const Bytes cbor = WebauthnStatement(SomeKey());
  // a map of 2, "fmt", "tpm", "attStmt", a map of 6, "alg", -7
  const Bytes start = {0xa2, 0x63, 'f', 'm', 't', 0x63, 't',  'p', 'm', 0x67, 'a', 't',
                       't',  'S',  't', 'm', 't', 0xa6, 0x63, 'a', 'l', 'g',  0x26};
  ASSERT_GE(cbor.size(), start.size());
  EXPECT_EQ(Bytes(cbor.begin(), cbor.begin() + static_cast<ptrdiff_t>(start.size())), start);
}

TEST(Webauthn, NamesRsaAlgorithms) {
  Evidence evidence = GoodKey(RsaKey(kRestrictedSign, true), EcKey(kSignDecrypt, false), {}, "");
  evidence.certificates = {Bytes{0x30, 0}};
  EXPECT_EQ(Json::from_cbor(WebauthnStatement(evidence))["attStmt"]["alg"], -257);
}

TEST(Webauthn, NeedsCertificatesAndAKey) {
  Evidence evidence = SomeKey();
  evidence.certificates.clear();
  EXPECT_THROW(WebauthnStatement(evidence), cli::Failure);
  EXPECT_THROW(WebauthnStatement(GoodAk(Ak(), "")), cli::Failure);
}

TEST(Encoding, Base64OfAllLengths) {
  for (size_t size = 0; size < 70; ++size) {
    const Bytes bytes(size, 0xa5);
    EXPECT_EQ(cli::FromBase64(cli::ToBase64(bytes)), bytes);
  }
  EXPECT_EQ(cli::ToBase64Url(Bytes{0xff, 0xef, 0xbe, 0x01}), "_---AQ");
  for (const char* bad : {"A", "AB=C", "====", "A===", "AB\nC", "AAAA===="})
    EXPECT_EQ(cli::FromBase64(bad), std::nullopt) << bad;
}

TEST(Encoding, CertificatesComeOutOfPemInOrder) {
  const std::vector<Bytes> chain = {Bytes(100, 1), Bytes(10, 2)};
  const std::string pem = "a comment\n" + cli::ToPem("CERTIFICATE", chain[0]) +
                          cli::ToPem("PUBLIC KEY", chain[1]) + cli::ToPem("CERTIFICATE", chain[1]);
  EXPECT_EQ(cli::CertificatesOfPem(pem), chain);
  EXPECT_THAT(cli::CertificatesOfPem("-----BEGIN CERTIFICATE-----\nAAAA"), testing::IsEmpty());
}

TEST(Output, TextHasColumnsAndBlocks) {
  const Json answer = {{"a_name", "x"},
                       {"yes", true},
                       {"list", {1, 2}},
                       {"empty", Json::array()},
                       {"parts", Json::array({{{"k", "v"}}, {{"key", "two\nlines\n"}}})}};
  EXPECT_EQ(cli::AsText(answer),
            "a name  x\nyes     yes\nlist    1\n        2\nparts:\n  k  v\n\n  key  \n    two\n"
            "    lines\n");
}

TEST(Output, KeepsHostileLabelsHarmless) {
  EXPECT_EQ(cli::AsText({{"name", "a\x1b[2Jb"}}), "name  a?[2Jb\n");
  EXPECT_EQ(cli::AsText({{"name", "a\x7f\xc2\x9b\xc2\xa0"}}), "name  a???\xc2\xa0\n");
  EXPECT_EQ(cli::AsText({{"notes", {"not this\nverified  yes"}}}),
            "notes  not this?verified  yes\n");
  EXPECT_EQ(cli::OneLine("no key 'a\n\x1b]0;b'"), "no key 'a??]0;b'");
  EXPECT_EQ(cli::AsJsonText({{"name", "\xff"}}), "{\n  \"name\": \"\xef\xbf\xbd\"\n}\n");
}

}  // namespace
}  // namespace keyscope::test
