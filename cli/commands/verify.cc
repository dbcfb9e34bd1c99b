// keyscope verify: needs neither module nor TPM.
#include "cli/commands/commands.h"
#include "cli/tpm_structures.h"
#include "cli/verifier.h"

namespace keyscope::cli {
namespace {

struct VerifyCommand {
  std::string file, nonce, scope, ak_name, pcr_digest;

  void AddTo(CLI::App& app);
  void Run(Context& context) const;

 private:
  Expected Expectations() const;
};

void VerifyCommand::AddTo(CLI::App& app) {
  app.add_option("file", file, "The evidence bundle; - for standard input")->required();
  app.add_option("--nonce", nonce, "The nonce that it is to answer, in hexadecimal");
  app.add_option("--scope", scope, "The scope that it is to prove: machine or user");
  app.add_option("--ak-name", ak_name, "The Name of the attestation key that you trust");
  app.add_option("--pcr-digest", pcr_digest, "Of a quote: the digest of the PCRs that you expect");
  for (CLI::Option* option : app.get_options()) option->check(RefuseEmpty);
}

Expected VerifyCommand::Expectations() const {
  Expected expected;
  if (!nonce.empty()) expected.nonce = HexOption("--nonce", nonce);
  if (!ak_name.empty()) expected.ak_name = HexOption("--ak-name", ak_name);
  if (!pcr_digest.empty()) expected.pcr_digest = HexOption("--pcr-digest", pcr_digest);
  if (!scope.empty()) expected.scope = ParseScope(scope);
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

void AddVerify(CLI::App& program, Context& context) {
  AddCommand<VerifyCommand>(program, context, "verify",
                            "Check an evidence bundle, offline, and say what proves what");
}

}  // namespace keyscope::cli
