// keyscope key show, keyscope ak show
#include "cli/certificates.h"
#include "cli/collect.h"
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/output.h"

namespace keyscope::cli {
namespace {

struct FlagRow {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
};
constexpr FlagRow kFlags[] = {
    {CKA_SIGN, "sign"},
    {CKA_DECRYPT, "decrypt"},
    {CKA_DERIVE, "derive"},
    {CKA_EXTRACTABLE, "extractable"},
    {CKA_KEYSCOPE_IN_TPM, "in_tpm"},
    {CKA_LOCAL, "made_here"},
};

struct Show {
  explicit Show(KeyKind of) : kind(of) {}

  KeyKind kind;
  KeyOptions key;
  bool evidence = false;
  std::string out;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  Json Describe(const Session& session, CK_OBJECT_HANDLE handle, const Uri& uri) const;
};

void Show::AddTo(Arguments args) {
  key.AddTo(args);
  auto flag = args.AddFlag("--evidence", evidence,
                           "The statements of its birth, as a JSON bundle for `keyscope verify`");
  args.Add("--out", out, "Where to write the evidence").Needs(flag);
}

Json Show::Describe(const Session& session, CK_OBJECT_HANDLE handle, const Uri& uri) const {
  Json shown = Summary(session, handle, uri);
  if (const Bytes name = session.GetOr(handle, CKA_KEYSCOPE_TPM_NAME); !name.empty())
    shown["tpm_name"] = Hex(name);
  if (const Bytes policy = session.GetOr(handle, CKA_KEYSCOPE_POLICY_DIGEST); !policy.empty())
    shown["policy_digest"] = Hex(policy);
  for (const FlagRow& row : kFlags)
    if (session.Get(handle, row.type)) shown[row.name] = session.GetBool(handle, row.type);
  if (const auto persistent = session.GetUlong(handle, CKA_KEYSCOPE_PERSISTENT_HANDLE))
    shown["persistent_handle"] = HexNumber(*persistent);
  if (const std::string pem = PublicPemOf(session, handle); !pem.empty()) shown["public_key"] = pem;
  for (const Bytes& der : CertificatesOf(session, handle))
    shown["certificates"].push_back(ToPem("CERTIFICATE", der));
  return shown;
}

void Show::Run(Context& context) const {
  const Uri uri = key.ResolveOne(context);
  const auto session = context.Login(uri.scope(), uri);
  const CK_OBJECT_HANDLE handle = FindKey(*session, uri, kind);
  if (!evidence) {
    context.Answer(Describe(*session, handle, uri));
    return;
  }
  const Evidence birth =
      kind == KeyKind::Ak ? EvidenceOfAk(*session, handle) : EvidenceOfKey(*session, handle);
  Context::Write(AsJsonText(ToJson(birth)), out);
}

}  // namespace

void AddShow(Arguments group, Context& context, KeyKind kind) {
  AddCommand(group, context, "show", "Show one, or its evidence", Show(kind));
}

}  // namespace keyscope::cli
