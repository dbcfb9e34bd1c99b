// keyscope ak activate
#include <charconv>

#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/keys.h"
#include "cli/tpm_structures.h"

namespace keyscope::cli {
namespace {

// TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, one after the other, out of the three forms in which
// credentials come: just so; a file of tpm2_makecredential, which has a header; or JSON as
// go-attestation's EncryptedCredential.
Bytes CredentialOf(const std::string& text) {
  const Bytes header = FromHex("badcc0de00000001").value();
  if (AsBytes(text).size() > header.size() && Equal(AsBytes(text).first(header.size()), header))
    return Copy(AsBytes(text).subspan(header.size()));
  const Json json = ParseJson(text);
  if (!json.is_object()) return Copy(AsBytes(text));
  Bytes both;
  for (const char* field : {"Credential", "Secret"}) {
    const auto found = json.find(field);
    auto part = found != json.end() && found->is_string()
                    ? FromBase64(found->get_ref<const std::string&>())
                    : std::nullopt;
    if (!part) throw UsageError(std::string("the credential's ") + field + " is no base64 string");
    Append(both, *part);
  }
  return both;
}

constexpr uint32_t kNvIndices = 0x01;  // TPM_HT_NV_INDEX, the first byte of their handles

CK_ULONG EndorsementKeyOf(const std::string& text) {
  if (text == "rsa") return CKK_RSA;
  if (text == "ec") return CKK_EC;
  uint32_t index = 0;
  const char* end = text.data() + text.size();
  if (text.starts_with("0x") && std::from_chars(text.data() + 2, end, index, 16).ptr == end &&
      index >> 24 == kNvIndices)
    return index;
  throw UsageError("'" + text + "' is no endorsement key: rsa, ec or its nv_index");
}

struct Activate {
  KeyOptions key;
  std::string credential, ek = "rsa", out;

  void AddTo(Arguments args);
  void Run(Context& context) const;
};

void Activate::AddTo(Arguments args) {
  key.AddTo(args);
  args.Add("--credential", credential,
           "File with the credential: the TPM's structures, tpm2_makecredential's file, or "
           "JSON; - for standard input")
      .Required();
  args.Add("--ek", ek,
           "The endorsement key that it was made for: rsa, ec or the nv_index that "
           "`keyscope ek show` prints")
      .ShowDefault();
  args.Add("--out", out, "Where to write the secret, as bytes; else it is printed");
}

void Activate::Run(Context& context) const {
  const Uri uri = key.ResolveOne(context);
  const Bytes data = CredentialOf(ReadFile(credential));
  const auto session = context.Login(uri.scope(), uri);
  const CK_OBJECT_HANDLE ak = FindKey(*session, uri, KeyKind::Ak);
  const CK_KEYSCOPE_ACTIVATE_PARAMS parameters{EndorsementKeyOf(ek)};
  const SecretBytes secret =
      session->Decrypt(CKM_KEYSCOPE_ACTIVATE_CREDENTIAL, parameters, ak, data);
  if (out.empty())
    context.Answer({{"secret", Hex(secret.view())}});
  else
    Context::WriteSecret(secret.view(), out);
}

}  // namespace

void AddActivate(Arguments group, Context& context) {
  AddCommand<Activate>(group, context, "activate",
                       "Answer a credential challenge: proves that the key is in the TPM of the "
                       "endorsement key");
}

}  // namespace keyscope::cli
