#include "cli/verifier.h"

#include <algorithm>

#include "cli/public_key.h"
#include "cli/tpm_structures.h"
#include "cli/x509.h"
#include "p11/cryptoki.h"
#include "p11/keyscope.h"

namespace keyscope::cli {
namespace {

constexpr int kMinRsaBits = 2048;

constexpr char kOfAk[] = "the AK's public area";
constexpr char kAkCreation[] = "TPM2_CertifyCreation of the AK, by itself";
constexpr char kAkCertificate[] = "the AK's certificate";
constexpr char kOfKey[] = "the key's public area";
constexpr char kKeyCertify[] = "TPM2_Certify of the key, by the AK";
constexpr char kKeyCreation[] = "TPM2_CertifyCreation of the key, by the AK";
constexpr char kAkQuote[] = "TPM2_Quote, by the AK";

// Writes the findings of one statement. A structure that is malformed is one finding, and ends it.
class Checks {
 public:
  Checks(Report& report, const char* statement) : report_(report), statement_(statement) {}

  void Expect(bool holds, const std::string& proves, const std::string& why_not) {
    report_.findings.push_back({statement_, proves, holds ? "" : why_not});
  }
  void ExpectNone(const std::string& why_not, const std::string& proves) {
    report_.findings.push_back({statement_, proves, why_not});
  }
  template <typename Body>
  void Run(Body body) {
    try {
      body();
    } catch (const Malformed& error) {
      Expect(false, "it is well formed", error.what());
    }
  }

 private:
  Report& report_;
  const char* statement_;
};

struct AttributeRow {
  ObjectAttribute attribute;
  const char* name;
  const char* proves;
};
// What every key must have to be evidence of anything.
constexpr AttributeRow kMadeInThisTpm[] = {
    {kFixedTpm, "fixedTPM", "the key never leaves its TPM"},
    {kFixedParent, "fixedParent", "the key cannot be moved to another parent"},
    {kSensitiveDataOrigin, "sensitiveDataOrigin", "the TPM made the key: it was not imported"},
};

void CheckKey(Checks& checks, const PublicArea& area) {
  const ossl::Pkey key = ToPkey(area);  // refuses weak curves
  const int bits = EVP_PKEY_get_bits(key.get());
  checks.Expect(std::holds_alternative<EccParts>(area.key) || bits >= kMinRsaBits,
                "the key is strong (RSA of 2048 bits, or a NIST curve of 256, up)",
                "it is an RSA key of " + std::to_string(bits) + " bits");
  for (const AttributeRow& row : kMadeInThisTpm)
    checks.Expect(area.Has(row.attribute), row.proves, std::string(row.name) + " is not set");
}

void CheckAkArea(Report& report, ByteView area_bytes) {
  Checks checks(report, kOfAk);
  checks.Run([&] {
    const PublicArea area = ParsePublic(area_bytes);
    report.ak_name = NameOf(area_bytes);
    CheckKey(checks, area);
    checks.Expect(area.Has(kRestricted) && area.Has(kSign) && !area.Has(kDecrypt),
                  "the AK signs nothing but what its TPM states (restricted, sign)",
                  "the AK is no restricted signing key");
  });
}

// What all statements have in common: made by a TPM, of the kind asked for, signed by `signer`.
Attest CheckStatement(Checks& checks, const Statement& statement, AttestType type,
                      ByteView signer) {
  Attest attest = ParseAttest(statement.attest);
  checks.Expect(attest.magic == kGeneratedByTpm, "a TPM made the statement (magic)",
                "its magic is not TPM_GENERATED_VALUE");
  checks.Expect(attest.type == type, "it is a statement of this kind", "it is of another kind");
  checks.ExpectNone(WhyNotSignedBy(ParsePublic(signer), statement.attest, statement.signature),
                    "the AK signed the statement");
  return attest;
}

void CheckName(Checks& checks, const Attest& attest, ByteView public_area) {
  checks.Expect(attest.name == NameOf(public_area), "it is about this key (Name)",
                "it is about another key: its Name is " + Hex(attest.name));
}

const char* OutsideInfoOf(KeyScope scope) {
  return scope == KeyScope::Machine ? KEYSCOPE_OUTSIDE_INFO_MACHINE : KEYSCOPE_OUTSIDE_INFO_USER;
}

// A statement of creation: of `public_area`, with this creation data, in this scope.
Attest CheckCreation(Checks& checks, const Statement& statement, ByteView creation_data,
                     ByteView public_area, ByteView signer, std::optional<KeyScope> scope) {
  Attest attest = CheckStatement(checks, statement, kAttestCreation, signer);
  CheckName(checks, attest, public_area);
  checks.Expect(attest.creation_hash == HashOf(ParsePublic(public_area).name_alg, creation_data),
                "the creation data are those of the statement", "their hash is another one");
  if (scope) {
    const std::string found = AsString(ParseOutsideInfo(creation_data));
    checks.Expect(found == OutsideInfoOf(*scope),
                  "the key was made in " + std::string(Name(*scope)) + " scope (outsideInfo)",
                  "outsideInfo is '" + found + "'");
  }
  return attest;
}

void CheckNonce(Report& report, Checks& checks, const Attest& attest, const Expected& expected) {
  if (expected.nonce) {
    checks.Expect(attest.extra_data == *expected.nonce, "it answers this nonce (extraData)",
                  "it answers another: " + Hex(attest.extra_data));
  } else {
    report.notes.push_back("the nonce was not checked (" +
                           (attest.extra_data.empty() ? "none" : Hex(attest.extra_data)) +
                           "): give the one that you chose with --nonce");
  }
}

void CheckAkCreation(Report& report, const Evidence& evidence, const Expected& expected,
                     std::optional<KeyScope> scope) {
  Checks checks(report, kAkCreation);
  if (evidence.ak.public_area.empty()) {
    report.notes.push_back("the AK's own creation is not in the bundle: the AK has been deleted");
    // Of a key its own creation proves the scope.
    if (scope && evidence.kind != Evidence::Kind::Key)
      checks.Expect(false, "the AK was made in " + std::string(Name(*scope)) + " scope",
                    "the bundle has no such statement");
    return;
  }
  checks.Run([&] {
    checks.Expect(evidence.ak.public_area == evidence.ak_public, "it is about the AK that signed",
                  "another AK signed");
    const Attest attest = CheckCreation(checks, evidence.ak.creation, evidence.ak.creation_data,
                                        evidence.ak.public_area, evidence.ak.public_area, scope);
    if (evidence.kind == Evidence::Kind::Ak) CheckNonce(report, checks, attest, expected);
  });
}

void CheckAkCertificate(Report& report, const Evidence& evidence, const Expected& expected) {
  Checks checks(report, kAkCertificate);
  checks.Run([&] {
    if (evidence.certificates.empty()) throw Malformed("the bundle has none");
    const X509Ptr certificate = ParseX509(evidence.certificates.front());
    if (certificate == nullptr) throw Malformed("it does not decode");
    checks.Expect(SpkiOf(*certificate) == ToSpki(*ToPkey(ParsePublic(evidence.ak_public))),
                  "it is for the AK that signed", "it is for another key");
    checks.ExpectNone(WhyNotIssuedBy(evidence.certificates, expected.cas),
                      "a CA that you trust issued it (" + SubjectTextOf(*certificate) + ")");
    checks.Expect(MaySign(*certificate), "the key that it is for may sign (key usage)",
                  "it may not: the certificate is for something else");
    if (const auto for_ak = IsForAk(*certificate))
      checks.Expect(*for_ak, "it is a certificate of an AK (extended key usage 2.23.133.8.3)",
                    "it is for other uses, as any holder of a key may get one");
    else
      report.notes.emplace_back(
          "that the certificate is one of an AK was not checked: no extended key usage of it says "
          "so "
          "(2.23.133.8.3), so trust its CA only if it certifies nothing but keys that are in TPMs");
  });
}

void CheckAk(Report& report, const Evidence& evidence, const Expected& expected,
             std::optional<KeyScope> scope) {
  CheckAkArea(report, evidence.ak_public);
  if (!expected.cas.empty()) CheckAkCertificate(report, evidence, expected);
  if (expected.ak_name) {
    Checks(report, kOfAk)
        .Expect(report.ak_name == *expected.ak_name, "it is the AK that you trust (Name)",
                "it is another AK: its Name is " + Hex(report.ak_name));
  } else if (expected.cas.empty()) {
    report.notes.push_back("that the AK is in a TPM you trust was not checked: learn its Name, " +
                           Hex(report.ak_name) +
                           ", by activation, and give it with --ak-name, or give the CA of its "
                           "certificate with --ca");
  }
  CheckAkCreation(report, evidence, expected, scope);
}

void CheckCertified(Report& report, const Evidence& evidence, const Expected& expected,
                    std::optional<KeyScope> scope) {
  const KeyEvidence& key = evidence.key;
  Checks area_checks(report, kOfKey);
  area_checks.Run([&] {
    const PublicArea area = ParsePublic(key.public_area);
    report.key_name = NameOf(key.public_area);
    CheckKey(area_checks, area);
    area_checks.Expect(!area.Has(kRestricted), "it is an ordinary key, and no AK (not restricted)",
                       "it is restricted");
    if (!area.policy.empty())
      report.notes.push_back(
          "the key has a policy, as keys that are bound to PCRs have, which was not checked: its "
          "authPolicy is " +
          Hex(area.policy));
  });
  const bool certified = !key.certify.empty(), created = !key.creation.empty();
  if (certified || !created) {
    Checks certify(report, kKeyCertify);
    certify.Run([&] {
      const Attest attest =
          CheckStatement(certify, key.certify, kAttestCertify, evidence.ak_public);
      CheckName(certify, attest, key.public_area);
      CheckNonce(report, certify, attest, expected);
    });
  }
  if (!created) {
    if (scope)
      Checks(report, kKeyCreation)
          .Expect(false, "the key was made in " + std::string(Name(*scope)) + " scope",
                  "the bundle has no such statement");
    return;
  }
  Checks creation(report, kKeyCreation);
  creation.Run([&] {
    const Attest attest = CheckCreation(creation, key.creation, key.creation_data, key.public_area,
                                        evidence.ak_public, scope);
    if (!certified) CheckNonce(report, creation, attest, expected);
  });
}

// TPM2_Quote, Part 3, section 18.4: the digest is over the selected PCRs, ascending, with the hash
// of the signing scheme.
void CheckPcrs(Checks& checks, const Attest& attest, uint16_t hash,
               std::map<std::string, Bytes> given) {
  Bytes values;
  for (const PcrSelection& bank : attest.pcr_select)
    for (int pcr : bank.pcrs) {
      const std::string name = ToText({bank.hash, {pcr}});
      const auto value = given.find(name);
      checks.Expect(value != given.end(), "the value of PCR " + name + " was given",
                    "give it with --pcr");
      if (value == given.end()) continue;
      checks.Expect(value->second.size() == SizeOfPcr(bank.hash),
                    "it is as long as those of its bank",
                    "it has " + std::to_string(value->second.size()) + " bytes");
      Append(values, value->second);
      given.erase(value);
    }
  for (const auto& [name, value] : given)
    checks.Expect(false, "the quote covers PCR " + name, "it does not");
  checks.Expect(attest.pcr_digest == HashOf(hash, values), "the PCRs have the values given",
                "they have others: the digest is " + Hex(attest.pcr_digest));
}

void CheckQuote(Report& report, const Evidence& evidence, const Expected& expected) {
  Checks checks(report, kAkQuote);
  checks.Run([&] {
    const Attest attest =
        CheckStatement(checks, evidence.quote.quote, kAttestQuote, evidence.ak_public);
    CheckNonce(report, checks, attest, expected);
    std::string selection;
    for (const PcrSelection& bank : attest.pcr_select)
      selection += (selection.empty() ? "" : "+") + ToText(bank);
    if (!expected.selection.empty())
      checks.Expect(selection == expected.selection, "it is of the PCRs " + expected.selection,
                    "it is of " + selection);
    if (expected.pcr_digest)
      checks.Expect(attest.pcr_digest == *expected.pcr_digest,
                    "the PCRs are as expected (" + selection + ")",
                    "their digest is " + Hex(attest.pcr_digest));
    if (!expected.pcr_values.empty())
      CheckPcrs(checks, attest, ParsePublic(evidence.ak_public).scheme_hash, expected.pcr_values);
    const bool has_values = expected.pcr_digest || !expected.pcr_values.empty();
    if (!has_values)
      report.notes.push_back("the PCRs were not checked: they are " + selection +
                             ", and their digest is " + Hex(attest.pcr_digest) +
                             ", compare it with --pcr-digest, or give their values with --pcr");
    else if (expected.pcr_values.empty() && expected.selection.empty())
      report.notes.push_back("which PCRs have this digest was not checked: they are " + selection +
                             ", name those that you expect with --pcrs");
  });
}

}  // namespace

bool Report::Verified() const {
  return !findings.empty() && std::ranges::all_of(findings, [](const Finding& finding) {
    return finding.why_not.empty();
  });
}

Report Verify(const Evidence& evidence, const Expected& expected) {
  Report report;
  const std::optional<KeyScope> scope = expected.scope ? expected.scope : evidence.scope;
  if (!scope) report.notes.emplace_back("the scope was not checked: name it with --scope");
  CheckAk(report, evidence, expected, scope);
  if (evidence.kind == Evidence::Kind::Key) CheckCertified(report, evidence, expected, scope);
  if (evidence.kind == Evidence::Kind::Quote)
    CheckQuote(report, evidence, expected);
  else if (expected.HasPcrs())
    Checks(report, kAkQuote).Expect(false, "the PCRs are as expected", "the bundle is no quote");
  return report;
}

}  // namespace keyscope::cli
