// keyscope key certify
#include "cli/collect.h"
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/output.h"
#include "cli/tpm_structures.h"
#include "cli/webauthn.h"

namespace keyscope::cli {
namespace {

struct Certify {
  KeyOptions key;
  std::string nonce, authorization, format = "evidence", chain, out;

  void AddTo(Arguments args);
  void Run(Context& context) const;
};

void Certify::AddTo(Arguments args) {
  key.AddTo(args);
  auto nonces = args.AddChoice("nonce");
  nonces.Add("--nonce", nonce, "The verifier's nonce, 1 to 64 bytes in hexadecimal");
  nonces.Add("--key-authorization", authorization,
             "ACME's key authorization: its SHA-256 is the nonce");
  args.Add("--format", format, "evidence (a JSON bundle) or webauthn (CBOR in base64url)")
      .OneOf({"evidence", "webauthn"})
      .ShowDefault();
  args.Add("--chain", chain, "PEM file with the AK's certificate and its issuers'");
  args.Add("--out", out, "Where to write it; standard output when not given");
}

void Certify::Run(Context& context) const {
  const Uri uri = key.ResolveOne(context);
  const Bytes fresh =
      nonce.empty() ? HashOf(kAlgSha256, AsBytes(authorization)) : NonceOption(nonce);
  const auto session = context.Login(uri.scope(), uri);
  Evidence evidence = Recertify(*session, FindKey(*session, uri, KeyKind::Key), fresh);
  if (!chain.empty()) evidence.certificates = CertificatesOption(chain);
  Context::Write(format == "webauthn" ? ToBase64Url(WebauthnStatement(evidence)) + "\n"
                                      : AsJsonText(ToJson(evidence)),
                 out);
}

}  // namespace

void AddCertify(Arguments group, Context& context) {
  AddCommand<Certify>(group, context, "certify",
                      "Have its attestation key vouch for it again, over a fresh nonce");
}

}  // namespace keyscope::cli
