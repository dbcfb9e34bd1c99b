// keyscope key create, keyscope ak create
#include <openssl/evp.h>

#include <algorithm>
#include <iterator>

#include "base/ossl.h"
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

struct Algorithm {
  const char* name;
  CK_MECHANISM_TYPE mechanism;
  CK_ULONG bits;      // RSA
  const char* curve;  // EC
  bool for_ak;
};
constexpr Algorithm kAlgorithms[] = {
    {"rsa2048", CKM_RSA_PKCS_KEY_PAIR_GEN, 2048, nullptr, true},
    {"rsa3072", CKM_RSA_PKCS_KEY_PAIR_GEN, 3072, nullptr, false},
    {"rsa4096", CKM_RSA_PKCS_KEY_PAIR_GEN, 4096, nullptr, false},
    {"p256", CKM_EC_KEY_PAIR_GEN, 0, "P-256", true},
    {"p384", CKM_EC_KEY_PAIR_GEN, 0, "P-384", false},
    {"p521", CKM_EC_KEY_PAIR_GEN, 0, "P-521", false},
};

const Algorithm& Find(const std::string& name, bool for_ak) {
  auto found = std::ranges::find_if(kAlgorithms, [&](const Algorithm& one) {
    return one.name == name && (one.for_ak || !for_ak);
  });
  if (found != std::end(kAlgorithms)) return *found;
  std::string known;
  for (const Algorithm& one : kAlgorithms)
    if (one.for_ak || !for_ak) known += (known.empty() ? "" : ", ") + std::string(one.name);
  throw UsageError("'" + name + "' is none of " + known);
}

struct Create {
  explicit Create(KeyKind of) : kind(of) {}

  KeyKind kind;
  KeyOptions key;
  std::string algorithm = "rsa2048", attest_by, qualifying_data, pcrs;
  bool persistent = false, creation_only = false;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  Uri Wanted(Context& context) const;
  CK_OBJECT_HANDLE Generate(const Session& session, const Uri& wanted) const;
};

void Create::AddTo(Arguments args) {
  key.AddTo(args);
  args.Add(
          "--type", algorithm,
          kind == KeyKind::Ak ? "rsa2048 or p256" : "rsa2048, rsa3072, rsa4096, p256, p384 or p521")
      .ShowDefault();
  args.Add("--qualifying-data", qualifying_data,
           "Up to 64 bytes for the statements of birth, in hexadecimal");
  args.AddFlag("--persistent", persistent, "Keep the key at a persistent handle of the TPM");
  if (kind == KeyKind::Ak) return;
  args.Add("--attest-by", attest_by, "The name of the attestation key to vouch for it");
  args.AddFlag("--creation-only", creation_only,
               "Have its creation stated only: one signature of the attestation key less");
  args.Add("--pcrs", pcrs,
           "A bank and PCRs, such as sha256:0,7: use the key only while they have the values "
           "of now");
}

Uri Create::Wanted(Context& context) const {
  Uri wanted = key.Resolve(context);
  if (wanted.name.empty()) throw UsageError("name the new key: NAME or --uri");
  if (wanted.ak && kind == KeyKind::Key)
    throw UsageError("the URI asks for an attestation key: `keyscope ak create` makes them");
  wanted.ak = kind == KeyKind::Ak;
  if (!attest_by.empty()) wanted.attest_by = attest_by;
  if (wanted.ak && !wanted.attest_by.empty())
    throw UsageError("an attestation key is attested by none but itself");
  if (creation_only && wanted.attest_by.empty())
    throw UsageError("--creation-only is for keys that --attest-by has attested");
  if (!qualifying_data.empty())
    wanted.qualifying_data = HexOption("--qualifying-data", qualifying_data);
  if (!pcrs.empty()) PcrsOption(pcrs);
  return wanted;
}

// The only AK of that name; CK_INVALID_HANDLE: none.
CK_OBJECT_HANDLE FindAk(const Session& session, const std::string& name) {
  Uri ak;
  ak.name = name;
  return FindKeys(session, ak, KeyKind::Ak).empty() ? CK_INVALID_HANDLE
                                                    : FindKey(session, ak, KeyKind::Ak);
}

// Whether a key of that name is in the token: its public half, which no login is spent on.
bool HasNamed(Context& context, KeyScope scope, const std::string& name) try {
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, CKO_PUBLIC_KEY).Add(CKA_LABEL, name);
  return context.HasToken(scope) && !Session(context.module(), scope).Find(wanted).empty();
} catch (const std::exception&) {  // a token that cannot be looked into has no say
  return false;
}

[[noreturn]] void NoAk(Context& context, const Uri& wanted) {
  const KeyScope mine = wanted.scope();
  const KeyScope other = OtherThan(mine);
  const std::string ak = "attestation key '" + wanted.attest_by + "'";
  if (!HasNamed(context, other, wanted.attest_by))
    throw Failure("no " + ak + " in the " + std::string(Name(mine)) + " scope");
  throw Failure("attested keys inherit the scope of their attestation key: " + ak + " has " +
                std::string(Name(other)) + " scope, and the key is to have " +
                std::string(Name(mine)) + " scope; ask for --scope " + std::string(Name(other)) +
                ", or for an attestation key of the " + std::string(Name(mine)) + " scope");
}

CK_OBJECT_HANDLE Create::Generate(const Session& session, const Uri& wanted) const {
  const Algorithm& rule = Find(algorithm, wanted.ak);
  Attributes public_half, private_half;
  public_half.AddBool(CKA_TOKEN, true).Add(CKA_LABEL, wanted.name);
  private_half.AddBool(CKA_TOKEN, true).Add(CKA_LABEL, wanted.name).AddBool(CKA_PRIVATE, true);
  private_half.AddUlong(CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(session.scope()));
  if (rule.curve != nullptr)
    public_half.Add(CKA_EC_PARAMS, ByteView(CurveParams(rule.curve)));
  else
    public_half.AddUlong(CKA_MODULUS_BITS, rule.bits);
  if (!wanted.id.empty())
    for (Attributes* half : {&public_half, &private_half}) half->Add(CKA_ID, ByteView(wanted.id));
  if (wanted.ak) private_half.AddBool(CKA_KEYSCOPE_ATTESTATION_KEY, true);
  if (!wanted.attest_by.empty()) {
    const Bytes ak = session.GetOr(FindAk(session, wanted.attest_by), CKA_UNIQUE_ID);
    private_half.Add(CKA_KEYSCOPE_ATTESTED_BY, ByteView(ak));
  }
  if (!wanted.qualifying_data.empty())
    private_half.Add(CKA_KEYSCOPE_QUALIFYING_DATA, ByteView(wanted.qualifying_data));
  if (creation_only) private_half.AddBool(CKA_KEYSCOPE_CREATION_ONLY, true);
  if (persistent) private_half.AddBool(CKA_KEYSCOPE_PERSISTENT, true);
  if (!pcrs.empty()) private_half.Add(CKA_KEYSCOPE_PCR_SELECTION, pcrs);

  CK_MECHANISM mechanism{rule.mechanism, nullptr, 0};
  const auto for_public = public_half.Template(), for_private = private_half.Template();
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;
  const Module& module = session.module();
  module.Check(module.call().C_GenerateKeyPair(session.handle(), &mechanism, for_public.data(),
                                               LengthOf(for_public), for_private.data(),
                                               LengthOf(for_private), &public_key, &private_key),
               "C_GenerateKeyPair");
  if (!wanted.id.empty()) return private_key;
  try {
    const Bytes id = IdFromPublic(session, public_key);
    for (CK_OBJECT_HANDLE half : {public_key, private_key}) SetId(session, half, id);
  } catch (...) {
    for (CK_OBJECT_HANDLE half : {public_key, private_key}) session.Destroy(half);
    throw;
  }
  return private_key;
}

void Create::Run(Context& context) const {
  const Uri wanted = Wanted(context);
  Find(algorithm, wanted.ak);  // a wrong type needs no PIN to be told
  const auto session = context.Login(wanted.scope(), wanted);
  RefuseTaken(*session, wanted.name);
  if (!wanted.attest_by.empty() && FindAk(*session, wanted.attest_by) == CK_INVALID_HANDLE)
    NoAk(context, wanted);
  const CK_OBJECT_HANDLE made = Generate(*session, wanted);
  context.Answer(Summary(*session, made, wanted));
}

}  // namespace

void AddCreate(Arguments group, Context& context, KeyKind kind) {
  AddCommand(group, context, "create",
             kind == KeyKind::Ak ? "Make an attestation key" : "Make a key in the TPM",
             Create(kind));
}

}  // namespace keyscope::cli
