// keyscope quote
#include <algorithm>
#include <charconv>
#include <iterator>

#include "cli/collect.h"
#include "cli/commands/commands.h"
#include "cli/output.h"

namespace keyscope::cli {
namespace {

constexpr unsigned kPcrs = 24;

struct Bank {
  const char* name;
  CK_MECHANISM_TYPE hash;
};
constexpr Bank kBanks[] = {
    {"sha1", CKM_SHA_1}, {"sha256", CKM_SHA256}, {"sha384", CKM_SHA384}, {"sha512", CKM_SHA512}};

struct QuoteCommand {
  KeyOptions key;
  std::string nonce, pcrs = "sha256:0,1,2,3,4,5,6,7", out;

  void AddTo(CLI::App& app);
  void Run(Context& context) const;
};

void QuoteCommand::AddTo(CLI::App& app) {
  key.AddTo(app);
  app.add_option("--nonce", nonce, "The verifier's nonce, 1 to 64 bytes in hexadecimal")
      ->required()
      ->check(RefuseEmpty);
  app.add_option("--pcrs", pcrs, "A bank and its PCRs")->capture_default_str();
  app.add_option("--out", out, "Where to write the bundle; standard output when not given");
}

struct Selection {
  CK_MECHANISM_TYPE bank;
  CK_ULONG bits = 0;
};

// BANK:PCR,PCR,... as tpm2-tools write it.
Selection ParsePcrs(const std::string& text) {
  const std::string wrong = "'" + text + "' is no bank with PCRs, such as sha256:0,7";
  const size_t colon = std::min(text.find(':'), text.size());
  auto bank = std::ranges::find_if(
      kBanks, [&](const Bank& one) { return one.name == text.substr(0, colon); });
  if (bank == std::end(kBanks) || colon + 1 >= text.size()) throw UsageError(wrong);
  Selection selection{bank->hash};
  const char* at = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  while (at != end) {
    unsigned pcr = kPcrs;
    const auto parsed = std::from_chars(at, end, pcr);
    if (parsed.ec != std::errc() || pcr >= kPcrs) throw UsageError(wrong);
    selection.bits |= CK_ULONG{1} << pcr;
    at = parsed.ptr;
    if (at != end && (*at != ',' || ++at == end)) throw UsageError(wrong);
  }
  return selection;
}

void QuoteCommand::Run(Context& context) const {
  const Selection selection = ParsePcrs(pcrs);
  const Bytes fresh = NonceOption(nonce);
  const Uri uri = key.ResolveOne(context);
  const auto session = context.Login(uri.scope(), uri);
  const CK_OBJECT_HANDLE ak = FindKey(*session, uri, KeyKind::Ak);
  Context::Write(AsJsonText(ToJson(Quote(*session, ak, selection.bank, selection.bits, fresh))),
                 out);
}

}  // namespace

void AddQuote(CLI::App& program, Context& context) {
  AddCommand<QuoteCommand>(program, context, "quote",
                           "Have an attestation key state the TPM's PCRs, over a fresh nonce");
}

}  // namespace keyscope::cli
