// keyscope ek show, keyscope ek certificates
#include "cli/commands/commands.h"
#include "cli/encoding.h"
#include "cli/keys.h"
#include "cli/tpm_structures.h"

namespace keyscope::cli {
namespace {

constexpr char kIntel[] = "INTC";

// Endorsement keys are the TPM's; the machine slot shows them, without login.
std::vector<CK_OBJECT_HANDLE> Endorsements(const Session& session, CK_OBJECT_CLASS object_class) {
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, object_class).AddBool(CKA_KEYSCOPE_ENDORSEMENT, true);
  return session.Find(wanted);
}

// Where Intel publishes the certificate of an RSA endorsement key: named by the hash of the modulus
// and the exponent. Printed only; nothing is fetched.
std::string IntelUrl(ByteView modulus) {
  const uint8_t exponent[] = {1, 0, 1};
  const std::string hash = ToBase64(HashOf(kAlgSha256, Concat({modulus, exponent})));
  std::string url = "https://ekop.intel.com/ekcertservice/";
  for (char c : hash) url += c == '+' ? "-" : c == '/' ? "_" : c == '=' ? "%3D" : std::string(1, c);
  return url;
}

struct ShowEks {
  void AddTo(Arguments) {}
  void Run(Context& context) const {
    const Session session(context.module(), KeyScope::Machine);
    const bool intel =
        Trimmed(context.module().TokenInfo(KeyScope::Machine).manufacturerID) == kIntel;
    Json keys = Json::array();
    for (CK_OBJECT_HANDLE key : Endorsements(session, CKO_PUBLIC_KEY)) {
      Json shown = Json::object();
      shown["algorithm"] = AlgorithmOf(session, key);
      if (const auto index = session.GetUlong(key, CKA_KEYSCOPE_NV_INDEX))
        shown["nv_index"] = HexNumber(*index);
      shown["tpm_name"] = Hex(session.GetOr(key, CKA_KEYSCOPE_TPM_NAME));
      shown["tpm_public"] = ToBase64(session.GetOr(key, CKA_KEYSCOPE_TPM_PUBLIC));
      shown["public_key"] = PublicPemOf(session, key);
      if (intel && session.GetUlong(key, CKA_KEY_TYPE) == CKK_RSA)
        shown["certificate_url"] = IntelUrl(session.GetOr(key, CKA_MODULUS));
      keys.push_back(std::move(shown));
    }
    if (keys.empty()) throw Failure("the machine token shows no endorsement keys");
    context.Answer({{"endorsement_keys", std::move(keys)}});
  }
};

struct ShowEkCertificates {
  void AddTo(Arguments) {}
  void Run(Context& context) const {
    const Session session(context.module(), KeyScope::Machine);
    Json certificates = Json::array();
    for (CK_OBJECT_HANDLE one : Endorsements(session, CKO_CERTIFICATE)) {
      Json shown = Json::object();
      shown["name"] = LabelOf(session, one);
      if (const auto index = session.GetUlong(one, CKA_KEYSCOPE_NV_INDEX))
        shown["nv_index"] = HexNumber(*index);
      if (const Bytes der = session.GetOr(one, CKA_VALUE); !der.empty())
        shown["certificate"] = ToPem("CERTIFICATE", der);
      if (const Bytes url = session.GetOr(one, CKA_URL); !url.empty())
        shown["certificate_url"] = AsString(url);
      certificates.push_back(std::move(shown));
    }
    if (certificates.empty())
      throw Failure(
          "the TPM holds no endorsement certificate; `keyscope ek show` prints the URL "
          "where its maker publishes one, if he does");
    context.Answer({{"certificates", std::move(certificates)}});
  }
};

}  // namespace

void AddEk(Arguments program, Context& context) {
  Arguments group = program.AddGroup("ek", "The TPM's endorsement keys");
  AddCommand<ShowEks>(group, context, "show", "Their public keys and Names");
  AddCommand<ShowEkCertificates>(group, context, "certificates", "Their certificates, as PEM");
}

}  // namespace keyscope::cli
