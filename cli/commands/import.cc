// keyscope key import
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/key_file.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

struct Import {
  std::string file;
  KeyOptions key;
  PinSource passphrase{.variable = "KEYSCOPE_PASSPHRASE", .prompt = "Passphrase of the key"};

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  CK_OBJECT_HANDLE CreatePrivate(const Session& session, Attributes& half, ByteView contents) const;
  CK_OBJECT_HANDLE Create(const Session& session, const Uri& wanted, ByteView contents) const;
};

void Import::AddTo(Arguments args) {
  args.Add("file", file,
           "PKCS #8, a traditional RSA or EC key, or a TPM's key file; - for standard input")
      .Required();
  key.AddTo(args, "--label");
  args.Add("--passphrase-file", passphrase.file, "A file with the key's passphrase");
}

CK_OBJECT_HANDLE CreateObject(const Session& session, Attributes& attributes) {
  const auto of_object = attributes.Template();
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  session.module().Check(session.module().call().C_CreateObject(session.handle(), of_object.data(),
                                                                LengthOf(of_object), &made),
                         "C_CreateObject");
  return made;
}

// The public half of a private key that is in the token.
void CreatePublic(const Session& session, CK_OBJECT_HANDLE private_key) {
  const bool rsa = session.GetUlong(private_key, CKA_KEY_TYPE) == CKK_RSA;
  Attributes half;
  half.AddUlong(CKA_CLASS, CKO_PUBLIC_KEY).AddUlong(CKA_KEY_TYPE, rsa ? CKK_RSA : CKK_EC);
  half.AddBool(CKA_TOKEN, true);
  for (CK_ATTRIBUTE_TYPE type : {CKA_LABEL, CKA_ID, rsa ? CKA_MODULUS : CKA_EC_PARAMS,
                                 rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT})
    half.Add(type, ByteView(session.GetOr(private_key, type)));
  CreateObject(session, half);
}

// A TPM's key file goes to the module as it is; it knows whether the key has an authorization.
CK_OBJECT_HANDLE Import::CreatePrivate(const Session& session, Attributes& half,
                                       ByteView contents) const {
  const std::vector<Bytes> key_file = FromPem("TSS2 PRIVATE KEY", AsStringView(contents));
  if (key_file.empty()) {
    AddPrivateKey(half, contents, [&] { return FindPin(passphrase); });
    return CreateObject(session, half);
  }
  half.Add(CKA_KEYSCOPE_TSS2_KEY, ByteView(key_file.front()));
  std::optional<SecretBytes> auth = FindGiven(passphrase);
  if (!auth) {
    try {
      return CreateObject(session, half);
    } catch (const Error& error) {
      const Rv* rv = std::get_if<Rv>(&error.cause());
      if (rv == nullptr || rv->value != CKR_TEMPLATE_INCOMPLETE) throw;
    }
    auth = FindPin(passphrase);
  }
  if (!auth) throw UsageError(kNoPassphrase);
  half.Add(CKA_KEYSCOPE_TSS2_AUTH, auth->view());
  return CreateObject(session, half);
}

CK_OBJECT_HANDLE Import::Create(const Session& session, const Uri& wanted,
                                ByteView contents) const {
  Attributes half;
  half.AddUlong(CKA_CLASS, CKO_PRIVATE_KEY).AddBool(CKA_TOKEN, true).AddBool(CKA_PRIVATE, true);
  half.Add(CKA_LABEL, wanted.name).Add(CKA_ID, ByteView(wanted.id));
  half.AddUlong(CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(session.scope()));
  const CK_OBJECT_HANDLE made = CreatePrivate(session, half, contents);
  try {
    if (wanted.id.empty()) SetId(session, made, IdFromPublic(session, made));
    CreatePublic(session, made);
  } catch (...) {
    session.Destroy(made);
    throw;
  }
  return made;
}

void Import::Run(Context& context) const {
  const Uri wanted = key.Resolve(context);
  if (wanted.name.empty()) throw UsageError("name the new key: --label or --uri");
  if (wanted.ak || !wanted.attest_by.empty())
    throw UsageError("a key from outside is no attestation key, and none vouches for its birth");
  const SecretBytes contents = ReadSecret(file);
  const auto session = context.Login(wanted.scope(), wanted);
  RefuseTaken(*session, wanted.name);
  context.Answer(Summary(*session, Create(*session, wanted, contents.view()), wanted));
}

}  // namespace

void AddImport(Arguments group, Context& context) {
  AddCommand<Import>(group, context, "import", "Bring a key from a file into the TPM");
}

}  // namespace keyscope::cli
