// keyscope quote
#include <algorithm>
#include <iterator>

#include "cli/collect.h"
#include "cli/commands/commands.h"
#include "cli/output.h"

namespace keyscope::cli {
namespace {

struct Bank {
  tpm::Hash hash;
  CK_MECHANISM_TYPE mechanism;
};
constexpr Bank kBanks[] = {{tpm::Hash::Sha1, CKM_SHA_1},
                           {tpm::Hash::Sha256, CKM_SHA256},
                           {tpm::Hash::Sha384, CKM_SHA384},
                           {tpm::Hash::Sha512, CKM_SHA512}};

struct QuoteCommand {
  KeyOptions key;
  std::string nonce, pcrs = "sha256:0,1,2,3,4,5,6,7", out;

  void AddTo(Arguments args);
  void Run(Context& context) const;
};

void QuoteCommand::AddTo(Arguments args) {
  key.AddTo(args);
  args.Add("--nonce", nonce, "The verifier's nonce, 1 to 64 bytes in hexadecimal").Required();
  args.Add("--pcrs", pcrs, "A bank and its PCRs").ShowDefault();
  args.Add("--out", out, "Where to write the bundle; standard output when not given");
}

CK_MECHANISM_TYPE BankOf(tpm::Hash hash) {
  return std::ranges::find(kBanks, hash, &Bank::hash)->mechanism;
}

void QuoteCommand::Run(Context& context) const {
  const tpm::PcrSelection selection = PcrsOption(pcrs);
  const Bytes fresh = NonceOption(nonce);
  const Uri uri = key.ResolveOne(context);
  const auto session = context.Login(uri.scope(), uri);
  const CK_OBJECT_HANDLE ak = FindKey(*session, uri, KeyKind::Ak);
  Context::Write(
      AsJsonText(ToJson(Quote(*session, ak, BankOf(selection.bank), selection.pcrs, fresh))), out);
}

}  // namespace

void AddQuote(Arguments program, Context& context) {
  AddCommand<QuoteCommand>(program, context, "quote",
                           "Have an attestation key state the TPM's PCRs, over a fresh nonce");
}

}  // namespace keyscope::cli
