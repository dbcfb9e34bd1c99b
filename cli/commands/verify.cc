// keyscope verify: needs neither module nor TPM.
#include <algorithm>
#include <bit>

#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/tpm_structures.h"
#include "cli/verifier.h"
#include "tpm/pcr.h"

namespace keyscope::cli {
namespace {

struct VerifyCommand {
  std::string file, nonce, scope, ak_name, ca, pcrs, pcr_digest;
  std::vector<std::string> pcr_values;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  Expected Expectations() const;
};

void VerifyCommand::AddTo(Arguments args) {
  args.Add("file", file, "The evidence bundle; - for standard input").Required();
  args.Add("--nonce", nonce, "The nonce that it is to answer, in hexadecimal");
  args.Add("--scope", scope, "The scope that it is to prove: machine or user");
  args.Add("--ak-name", ak_name, "The Name of the attestation key that you trust");
  args.Add("--ca", ca, "PEM file of the CAs that may have certified the attestation key");
  args.Add("--pcrs", pcrs, "Of a quote: the bank and PCRs that it is to be of, such as sha256:0,7");
  args.Add("--pcr-digest", pcr_digest, "Of a quote: the digest of the PCRs that you expect");
  args.Add("--pcr", pcr_values,
           "Of a quote: PCR=HEX or BANK:PCR=HEX, its expected value, once for each PCR; the bank "
           "is sha256 when not named");
}

// "sha256:7" and the value.
std::pair<std::string, Bytes> ParsePcr(const std::string& text) {
  const size_t equals = std::min(text.find('='), text.size());
  std::string name = text.substr(0, equals);
  if (name.find(':') == name.npos) name.insert(0, "sha256:");
  const auto pcr = tpm::ParsePcrs(name);
  if (!pcr || !std::has_single_bit(pcr->pcrs) || equals == text.size())
    throw UsageError("'" + text + "' is no PCR with its value, such as 7=00ff...");
  return {tpm::ToText(*pcr), HexOption("--pcr", text.substr(equals + 1))};
}

Expected VerifyCommand::Expectations() const {
  Expected expected;
  if (!nonce.empty()) expected.nonce = HexOption("--nonce", nonce);
  if (!ak_name.empty()) expected.ak_name = HexOption("--ak-name", ak_name);
  if (!pcrs.empty()) expected.selection = tpm::ToText(PcrsOption(pcrs));
  if (!pcr_digest.empty()) expected.pcr_digest = HexOption("--pcr-digest", pcr_digest);
  if (!scope.empty()) expected.scope = ParseScope(scope);
  if (!ca.empty()) expected.cas = CertificatesOption(ca);
  for (const std::string& one : pcr_values)
    if (!expected.pcr_values.insert(ParsePcr(one)).second) throw UsageError("a PCR is given twice");
  return expected;
}

// The findings, under the statement that each comes from.
Json Grouped(const Report& report) {
  Json statements = Json::array();
  for (const Finding& finding : report.findings) {
    if (statements.empty() || statements.back()["statement"] != finding.statement)
      statements.push_back({{"statement", finding.statement}});
    Json& group = statements.back();
    if (finding.why_not.empty())
      group["proves"].push_back(finding.proves);
    else
      group["does_not_prove"].push_back(finding.proves + ": " + finding.why_not);
  }
  return statements;
}

void VerifyCommand::Run(Context& context) const {
  const Expected expected = Expectations();
  Report report;
  try {
    report = Verify(EvidenceFromJson(ReadFile(file)), expected);
  } catch (const Malformed& error) {
    report.findings.push_back({"the bundle", "it is well formed", error.what()});
  }
  Json answer = {{"verified", report.Verified()}, {"statements", Grouped(report)}};
  if (!report.ak_name.empty()) answer["ak_name"] = Hex(report.ak_name);
  if (!report.key_name.empty()) answer["key_name"] = Hex(report.key_name);
  if (!report.notes.empty()) answer["not_checked"] = report.notes;
  context.Answer(answer);
  if (!report.Verified()) context.exit = Exit::NotVerified;
}

}  // namespace

void AddVerify(Arguments program, Context& context) {
  AddCommand<VerifyCommand>(program, context, "verify",
                            "Check an evidence bundle, offline, and say what proves what");
}

}  // namespace keyscope::cli
