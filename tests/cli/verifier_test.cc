// Every check of the verifier, holding and failing: those of go-attestation's CheckAKParameters and
// CertificationParameters.Verify, and Keyscope's own.
#include "cli/verifier.h"

#include <gmock/gmock.h>
#include <openssl/x509v3.h>

#include "cli/x509.h"
#include "tests/cli/statements.h"

namespace keyscope::test {
namespace {

using cli::Evidence;
using cli::Expected;
using cli::Report;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kMachine[] = "keyscope:machine", kUser[] = "keyscope:user";

std::vector<std::string> Failures(const Report& report) {
  std::vector<std::string> failures;
  for (const cli::Finding& finding : report.findings)
    if (!finding.why_not.empty())
      failures.push_back(finding.statement + ": " + finding.proves + ": " + finding.why_not);
  return failures;
}

std::vector<std::string> FailuresOf(const Evidence& evidence, const Expected& expected = {}) {
  const Report report = Verify(evidence, expected);
  EXPECT_EQ(report.Verified(), Failures(report).empty());
  return Failures(report);
}

const SoftwareKey& RsaAk() {
  static const auto& key = *new SoftwareKey(RsaKey(kRestrictedSign, true));
  return key;
}
const SoftwareKey& EcAk() {
  static const auto& key = *new SoftwareKey(EcKey(kRestrictedSign, true));
  return key;
}

// For both kinds of AK.
class Verifier : public testing::TestWithParam<const SoftwareKey& (*)()> {
 protected:
  const SoftwareKey& ak() const { return GetParam()(); }
  SoftwareKey ChangedAk(uint32_t set, uint32_t clear) const {
    SoftwareKey changed;
    EVP_PKEY_up_ref(ak().pkey.get());
    changed.pkey.reset(ak().pkey.get());
    changed.rsa = ak().rsa;
    changed.with_scheme = true;
    changed.attributes = (ak().attributes | set) & ~clear;
    return changed;
  }

  Evidence Quote(const Bytes& pcr_digest) const {
    Evidence evidence = GoodAk(ak(), kUser);
    evidence.kind = Evidence::Kind::Quote;
    evidence.quote.quote.attest = MakeQuote(nonce_, pcr_digest);
    evidence.quote.quote.signature = ak().Sign(evidence.quote.quote.attest);
    return evidence;
  }

  const SoftwareKey key_ = EcKey(kSignDecrypt, false);
  const Bytes nonce_ = {1, 2, 3, 4};
};
INSTANTIATE_TEST_SUITE_P(Aks, Verifier, testing::Values(&RsaAk, &EcAk),
                         [](const auto& one) { return one.index == 0 ? "Rsa" : "Ec"; });

TEST_P(Verifier, TakesGoodEvidence) {
  EXPECT_THAT(FailuresOf(GoodAk(ak(), kMachine), {.scope = KeyScope::Machine}), IsEmpty());
  const Evidence key = GoodKey(ak(), key_, nonce_, kUser);
  const Expected all = {.nonce = nonce_, .ak_name = ak().Name(), .scope = KeyScope::User};
  EXPECT_THAT(FailuresOf(key, all), IsEmpty());
  const Report report = Verify(key, all);
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ(report.ak_name, ak().Name());
  EXPECT_EQ(report.key_name, key_.Name());
}

TEST_P(Verifier, TakesRsaKeys) {
  EXPECT_THAT(FailuresOf(GoodKey(ak(), RsaKey(kSignDecrypt, false), nonce_, kUser)), IsEmpty());
}

TEST_P(Verifier, NotesWhatItWasNotAsked) {
  const Report report = Verify(GoodKey(ak(), key_, nonce_, kUser), {});
  EXPECT_TRUE(report.Verified());
  EXPECT_THAT(report.notes,
              testing::UnorderedElementsAre(HasSubstr("--scope"), HasSubstr("--nonce"),
                                            HasSubstr("--ak-name")));
}

TEST_P(Verifier, RefusesAnotherNonce) {
  EXPECT_THAT(FailuresOf(GoodKey(ak(), key_, nonce_, kUser), {.nonce = Bytes{1, 2, 3, 5}}),
              Contains(HasSubstr("this nonce")));
}

TEST_P(Verifier, RefusesAnotherAkThanTheTrusted) {
  EXPECT_THAT(FailuresOf(GoodKey(ak(), key_, nonce_, kUser), {.ak_name = key_.Name()}),
              Contains(HasSubstr("another AK")));
}

TEST_P(Verifier, RefusesTheOtherScope) {
  EXPECT_THAT(FailuresOf(GoodAk(ak(), kUser), {.scope = KeyScope::Machine}),
              Contains(HasSubstr("outsideInfo is 'keyscope:user'")));
  EXPECT_THAT(FailuresOf(GoodKey(ak(), key_, nonce_, kMachine), {.scope = KeyScope::User}),
              Contains(HasSubstr("outsideInfo is 'keyscope:machine'")));
}

TEST_P(Verifier, HoldsTheBundleToTheScopeThatItClaims) {
  Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
  evidence.scope = KeyScope::Machine;
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("made in machine scope")));
}

TEST_P(Verifier, RefusesAScopeThatNothingProves) {
  Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
  evidence.key.creation = {};
  EXPECT_THAT(FailuresOf(evidence, {.scope = KeyScope::User}),
              Contains(HasSubstr("no such statement")));
}

TEST_P(Verifier, TakesACreationThatAloneIsStated) {
  Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
  evidence.key.certify = {};
  EXPECT_THAT(FailuresOf(evidence, {.nonce = Bytes(), .scope = KeyScope::User}), IsEmpty());
  EXPECT_THAT(FailuresOf(evidence, {.nonce = nonce_}), Contains(HasSubstr("this nonce")))
      << "the nonce of its birth is another one";
  Evidence tampered = evidence;
  tampered.key.creation.attest[50] ^= 1;
  EXPECT_THAT(FailuresOf(tampered), Contains(HasSubstr("does not verify")));
  evidence.key.creation = {};
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("TPM2_Certify of the key")));
}

TEST_P(Verifier, RefusesATamperedStatement) {
  for (auto change : {+[](Evidence& e) { e.key.certify.attest[50] ^= 1; },
                      +[](Evidence& e) { e.key.creation.attest[50] ^= 1; },
                      +[](Evidence& e) { e.ak.creation.attest[50] ^= 1; },
                      +[](Evidence& e) { e.key.certify.signature.back() ^= 1; }}) {
    Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
    change(evidence);
    EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("does not verify")));
  }
}

TEST_P(Verifier, RefusesTamperedCreationData) {
  Evidence evidence = GoodAk(ak(), kUser);
  evidence.ak.creation_data[20] ^= 1;
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("their hash is another one")));
}

TEST_P(Verifier, RefusesAShortSignature) {
  Evidence evidence = GoodAk(ak(), kUser);
  evidence.ak.creation.signature.resize(7);
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("7 bytes")));
}

TEST_P(Verifier, RefusesTheSignatureOfAnotherAk) {
  const SoftwareKey other = EcKey(kRestrictedSign, true);
  Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
  evidence.key.certify.signature = other.Sign(evidence.key.certify.attest);
  EXPECT_THAT(FailuresOf(evidence),
              Contains(AnyOf(HasSubstr("does not verify"), HasSubstr("another scheme"))));
}

TEST_P(Verifier, RefusesAnotherKey) {
  Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
  evidence.key.public_area = EcKey(kSignDecrypt, false).PublicArea();
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("another key")));
}

TEST_P(Verifier, RefusesAnAkThatIsNotTheOneThatSigned) {
  Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
  evidence.ak = GoodAk(EcKey(kRestrictedSign, true), kUser).ak;
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("another AK signed")));
}

// Signed again, as an attacker with a key of his own would.
TEST_P(Verifier, RefusesStatementsThatNoTpmMade) {
  for (AttestFields fields : {AttestFields{.magic = 0xff544348}, AttestFields{.type = 0x801A}}) {
    Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
    fields.name = key_.Name();
    fields.second = Bytes(34, 9);
    evidence.key.certify.attest = MakeAttest(fields);
    evidence.key.certify.signature = ak().Sign(evidence.key.certify.attest);
    EXPECT_THAT(FailuresOf(evidence),
                Contains(AnyOf(HasSubstr("TPM_GENERATED_VALUE"), HasSubstr("another kind"))));
  }
}

TEST_P(Verifier, RefusesAnUnrestrictedAk) {
  EXPECT_THAT(FailuresOf(GoodAk(ChangedAk(0, 0x00010000), kUser)),
              Contains(HasSubstr("no restricted signing key")));
  EXPECT_THAT(FailuresOf(GoodAk(ChangedAk(0x00020000, 0), kUser)),
              Contains(HasSubstr("no restricted signing key")));
}

struct AttributeCase {
  uint32_t bit;
  const char* name;
};
constexpr AttributeCase kNeeded[] = {
    {0x02, "fixedTPM"}, {0x10, "fixedParent"}, {0x20, "sensitiveDataOrigin"}};

TEST_P(Verifier, RefusesAksWithoutTheirAttributes) {
  for (const AttributeCase& one : kNeeded)
    EXPECT_THAT(FailuresOf(GoodAk(ChangedAk(0, one.bit), kUser)), Contains(HasSubstr(one.name)));
}

TEST_P(Verifier, RefusesKeysWithoutTheirAttributes) {
  for (const AttributeCase& one : kNeeded) {
    SoftwareKey key = EcKey(kSignDecrypt, false);
    key.attributes &= ~one.bit;
    EXPECT_THAT(FailuresOf(GoodKey(ak(), key, nonce_, kUser)), Contains(HasSubstr(one.name)));
  }
}

TEST_P(Verifier, RefusesARestrictedKey) {
  EXPECT_THAT(FailuresOf(GoodKey(ak(), EcKey(kRestrictedSign, false), nonce_, kUser)),
              Contains(HasSubstr("it is restricted")));
}

TEST_P(Verifier, RefusesWeakKeys) {
  EXPECT_THAT(FailuresOf(GoodKey(ak(), RsaKey(kSignDecrypt, false, 1024), nonce_, kUser)),
              Contains(HasSubstr("1024 bits")));
  EXPECT_THAT(FailuresOf(GoodKey(ak(), EcKey(kSignDecrypt, false, "P-224"), nonce_, kUser)),
              Contains(HasSubstr("no NIST curve")));
}

TEST_P(Verifier, RefusesAnAkWithoutAScheme) {
  SoftwareKey bare = ChangedAk(0, 0);
  bare.with_scheme = false;
  EXPECT_THAT(FailuresOf(GoodAk(bare, kUser)), Contains(HasSubstr("no scheme")));
}

TEST_P(Verifier, LivesWithoutTheAksOwnCreation) {
  Evidence evidence = GoodKey(ak(), key_, nonce_, kUser);
  evidence.ak = {};
  EXPECT_THAT(FailuresOf(evidence, {.nonce = nonce_, .ak_name = ak().Name()}), IsEmpty());
  evidence.ak_public.clear();
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("cut short")));
}

TEST_P(Verifier, ChecksQuotes) {
  const Bytes digest(32, 5);
  Evidence evidence = Quote(digest);
  EXPECT_THAT(FailuresOf(evidence, {.nonce = nonce_, .pcr_digest = digest}), IsEmpty());
  EXPECT_THAT(FailuresOf(evidence, {.nonce = nonce_, .pcr_digest = Bytes(32, 6)}),
              Contains(HasSubstr("their digest is 0505")));
  EXPECT_THAT(FailuresOf(evidence, {.nonce = digest}), Contains(HasSubstr("this nonce")));
  evidence.quote.quote = evidence.ak.creation;
  EXPECT_THAT(FailuresOf(evidence), Contains(HasSubstr("another kind")));
}

TEST_P(Verifier, RecomputesTheDigestOfPcrs) {
  const Bytes zero(32, 0), seven(32, 7);
  Evidence evidence = Quote(Sha256(Concat({zero, seven})));
  auto failures = [&](const std::map<std::string, Bytes>& values) {
    return FailuresOf(evidence, {.nonce = nonce_, .pcr_values = values});
  };
  EXPECT_THAT(failures({{"sha256:0", zero}, {"sha256:7", seven}}), IsEmpty());
  EXPECT_THAT(failures({{"sha256:0", seven}, {"sha256:7", zero}}),
              Contains(HasSubstr("they have others")));
  EXPECT_THAT(failures({{"sha256:0", zero}}),
              Contains(HasSubstr("value of PCR sha256:7 was given")));
  EXPECT_THAT(failures({{"sha256:0", zero}, {"sha256:7", seven}, {"sha256:8", zero}}),
              Contains(HasSubstr("the quote covers PCR sha256:8: it does not")));
  EXPECT_THAT(failures({{"sha1:0", zero}, {"sha1:7", seven}}),
              Contains(HasSubstr("the quote covers PCR sha1:0: it does not")))
      << "of another bank";
  EXPECT_THAT(failures({{"sha256:0", Concat({zero, seven})}, {"sha256:7", Bytes()}}),
              Contains(HasSubstr("as long as those of its bank")))
      << "the same bytes, cut elsewhere";
}

TEST_P(Verifier, ChecksWhichPcrsAQuoteIsOf) {
  const Bytes digest(32, 5);
  Evidence evidence = Quote(digest);
  Expected expected = {.nonce = nonce_, .pcr_digest = digest};
  EXPECT_THAT(Verify(evidence, expected).notes,
              Contains(HasSubstr("they are sha256:0,7, name those that you expect")));
  expected.selection = "sha256:0,7";
  EXPECT_THAT(FailuresOf(evidence, expected), IsEmpty());
  EXPECT_THAT(Verify(evidence, expected).notes, testing::Not(Contains(HasSubstr("PCR"))));
  expected.selection = "sha256:8,9";
  EXPECT_THAT(FailuresOf(evidence, expected), Contains(HasSubstr("it is of sha256:0,7")));
}

TEST_P(Verifier, RefusesPcrsThatNoQuoteStates) {
  const Expected pcrs[] = {{.selection = "sha256:0"},
                           {.pcr_digest = Bytes(32, 5)},
                           {.pcr_values = {{"sha256:0", Bytes(32, 0)}}}};
  for (const Expected& expected : pcrs) {
    EXPECT_THAT(FailuresOf(GoodAk(ak(), kUser), expected), Contains(HasSubstr("is no quote")));
    EXPECT_THAT(FailuresOf(GoodKey(ak(), key_, nonce_, kUser), expected),
                Contains(HasSubstr("is no quote")));
  }
}

TEST_P(Verifier, RefusesAQuoteWhoseScopeNothingProves) {
  Evidence evidence = Quote(Bytes(32, 5));
  EXPECT_THAT(FailuresOf(evidence, {.scope = KeyScope::User}), IsEmpty());
  evidence.ak = {};
  EXPECT_THAT(FailuresOf(evidence), IsEmpty());
  for (KeyScope scope : kScopes)
    EXPECT_THAT(FailuresOf(evidence, {.scope = scope}), Contains(HasSubstr("no such statement")));
}

// A certificate of the key, by an issuer's name and key; of a CA when the issuer is itself. DER.
struct Extras {
  long days = 1;
  const char* usage = nullptr;     // keyUsage
  const char* extended = nullptr;  // extendedKeyUsage
};
void Extend(X509& certificate, int type, const char* value) {
  if (value == nullptr) return;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, type, value);
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}
constexpr char kForAks[] = "2.23.133.8.3";

Bytes CertificateFor(EVP_PKEY& key, const char* name, EVP_PKEY& issuer_key, const char* issuer,
                     const Extras& extras = {}) {
  const cli::X509Ptr certificate(X509_new());
  auto call_it = [](X509_NAME* subject, const char* text) {
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 0x1234);
  call_it(X509_get_subject_name(certificate.get()), name);
  call_it(X509_get_issuer_name(certificate.get()), issuer);
  X509_time_adj_ex(X509_getm_notBefore(certificate.get()), -2, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), static_cast<int>(extras.days), 0,
                   nullptr);
  X509_set_pubkey(certificate.get(), &key);
  const bool is_ca = std::string_view(name) == issuer;
  Extend(*certificate, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : nullptr);
  Extend(*certificate, NID_key_usage, extras.usage);
  Extend(*certificate, NID_ext_key_usage, extras.extended);
  X509_sign(certificate.get(), &issuer_key, EVP_sha256());
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  Bytes bytes(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return bytes;
}

TEST_P(Verifier, TrustsACertificateOfTheAk) {
  const SoftwareKey ca = RsaKey(kSignDecrypt, false), other_ca = RsaKey(kSignDecrypt, false);
  const Bytes root = CertificateFor(*ca.pkey, "CA", *ca.pkey, "CA");
  const Bytes other_root = CertificateFor(*other_ca.pkey, "CA", *other_ca.pkey, "CA");
  const Bytes leaf = CertificateFor(*ak().pkey, "AK", *ca.pkey, "CA", {.extended = kForAks});
  Evidence evidence = GoodAk(ak(), kUser);
  auto failures = [&](const std::vector<Bytes>& certificates, const Bytes& trusted) {
    evidence.certificates = certificates;
    return FailuresOf(evidence, {.cas = {trusted}});
  };
  EXPECT_THAT(failures({leaf}, root), IsEmpty());
  EXPECT_THAT(failures({leaf, root}, root), IsEmpty());
  EXPECT_THAT(Verify(evidence, {.nonce = Bytes(), .cas = {root}, .scope = KeyScope::User}).notes,
              IsEmpty());
  EXPECT_THAT(failures({leaf}, other_root), Contains(HasSubstr("a CA that you trust issued it")));
  EXPECT_THAT(failures({leaf, root}, other_root), Contains(HasSubstr("you trust")));
  EXPECT_THAT(failures({root}, root), Contains(HasSubstr("it is for another key")));
  EXPECT_THAT(failures({CertificateFor(*ak().pkey, "AK", *ca.pkey, "CA", {.days = -1})}, root),
              Contains(HasSubstr("certificate has expired")));
  EXPECT_THAT(failures({CertificateFor(*ak().pkey, "AK", *ca.pkey, "no CA")},
                       CertificateFor(*ca.pkey, "no CA", *ca.pkey, "CA")),
              Contains(HasSubstr("invalid CA")));
  EXPECT_THAT(failures({}, root), Contains(HasSubstr("the bundle has none")));
  EXPECT_THAT(failures({Bytes{0x30, 0}}, root), Contains(HasSubstr("it does not decode")));
}

// Anybody gets a TLS certificate for a key of his own.
TEST_P(Verifier, TrustsNoCertificateThatIsForSomethingElse) {
  const SoftwareKey ca = RsaKey(kSignDecrypt, false);
  const Bytes root = CertificateFor(*ca.pkey, "CA", *ca.pkey, "CA");
  Evidence evidence = GoodAk(ak(), kUser);
  auto report = [&](const Extras& extras) {
    evidence.certificates = {CertificateFor(*ak().pkey, "AK", *ca.pkey, "CA", extras)};
    return Verify(evidence, {.cas = {root}, .scope = KeyScope::User});
  };
  EXPECT_TRUE(report({.usage = "digitalSignature", .extended = kForAks}).Verified());
  EXPECT_TRUE(report({.extended = "serverAuth,2.23.133.8.3"}).Verified());
  EXPECT_THAT(Failures(report({.extended = "serverAuth,clientAuth"})),
              Contains(HasSubstr("it is for other uses")));
  EXPECT_THAT(Failures(report({.usage = "keyAgreement", .extended = kForAks})),
              Contains(HasSubstr("it may not")));
  EXPECT_TRUE(report({}).Verified());
  EXPECT_THAT(report({}).notes, Contains(HasSubstr("no extended key usage")));
}

TEST_P(Verifier, TrustsNoWeakIssuer) {
  const SoftwareKey weak = RsaKey(kSignDecrypt, false, 1024);
  Evidence evidence = GoodAk(ak(), kUser);
  evidence.certificates = {
      CertificateFor(*ak().pkey, "AK", *weak.pkey, "CA", {.extended = kForAks})};
  EXPECT_THAT(FailuresOf(evidence, {.cas = {CertificateFor(*weak.pkey, "CA", *weak.pkey, "CA")}}),
              Contains(HasSubstr("key too weak")));
}

TEST(Certificates, AreDescribed) {
  const SoftwareKey ca = RsaKey(kSignDecrypt, false);
  const Bytes der = CertificateFor(*ca.pkey, "leaf", *ca.pkey, "the CA", {.days = -1});
  const cli::X509Ptr certificate = cli::ParseX509(der);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(cli::SerialOf(*certificate), "1234");
  EXPECT_EQ(cli::IssuerNameOf(*certificate), "the CA");
  EXPECT_EQ(cli::IssuerTextOf(*certificate), "CN=the CA");
  EXPECT_EQ(cli::SubjectTextOf(*certificate), "CN=leaf");
  EXPECT_TRUE(cli::HasExpired(*certificate));
  EXPECT_FALSE(cli::HasExpired(*cli::ParseX509(CertificateFor(*ca.pkey, "a", *ca.pkey, "b"))));
  EXPECT_THAT(cli::NotAfterOf(*certificate), testing::MatchesRegex("[0-9-]+T[0-9:]+Z"));
  EXPECT_EQ(cli::ParseX509(Bytes{0x30, 0}), nullptr);
}

// Every prefix of every structure, and bytes after it: a finding, and nothing worse.
TEST_P(Verifier, SurvivesWhatIsMalformed) {
  const Evidence good = GoodKey(ak(), key_, nonce_, kUser);
  for (auto part : {+[](Evidence& e) -> Bytes& { return e.ak_public; },
                    +[](Evidence& e) -> Bytes& { return e.key.public_area; },
                    +[](Evidence& e) -> Bytes& { return e.key.certify.attest; },
                    +[](Evidence& e) -> Bytes& { return e.key.certify.signature; },
                    +[](Evidence& e) -> Bytes& { return e.key.creation_data; }}) {
    Evidence evidence = good;
    const size_t whole = part(evidence).size();
    for (size_t size = 0; size < whole; size += 5) {
      evidence = good;
      part(evidence).resize(size);
      EXPECT_THAT(FailuresOf(evidence), testing::Not(IsEmpty()));
    }
    evidence = good;
    part(evidence).push_back(0);
    EXPECT_THAT(FailuresOf(evidence), testing::Not(IsEmpty()));
  }
}

}  // namespace
}  // namespace keyscope::test
