#include "token/key_file.h"

#include "p11/keyscope.h"
#include "token/create.h"
#include "token/crypto/tss2_key.h"
#include "token/public_of.h"
#include "token/refuse.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

[[noreturn]] void RefuseFile(CK_RV rv, const std::string& why, Where where = Where::Here()) {
  Refuse(rv, "CKA_KEYSCOPE_TSS2_KEY: " + why, where);
}

crypto::Tss2Key KeyFileIn(const AttributeSet& attributes) {
  const auto key = crypto::DecodeTss2Key(attributes.Get(CKA_KEYSCOPE_TSS2_KEY));
  if (!key) RefuseFile(CKR_ATTRIBUTE_VALUE_INVALID, "not the DER of a TPM's key file");
  return *key;
}

// What `call` says of the value is told as such.
template <typename Call>
auto Checked(Call call) try {
  return call();
} catch (const Error& error) {
  for (Fault fault : {Fault::AuthFailed, Fault::BadInput, Fault::Unsupported, Fault::Corrupt})
    if (error.Is(fault)) RefuseFile(CKR_ATTRIBUTE_VALUE_INVALID, error.what());
  throw;
}

void CheckNothingElse(const AttributeSet& given) {
  for (const auto& [type, value] : given) {
    const AttributeRule* rule = FindRule(type, kRsaPrivate);
    if (rule == nullptr) rule = FindRule(type, kEcPrivate);
    if (rule != nullptr && rule->Has(kSensitive) && type != CKA_KEYSCOPE_TSS2_KEY &&
        type != CKA_KEYSCOPE_TSS2_AUTH)
      RefuseFile(CKR_TEMPLATE_INCONSISTENT, std::string("not together with ") + rule->name);
  }
}

}  // namespace

void ImplyFromKeyFile(AttributeSet& given, const tpm::Backend& backend) {
  if (!given.Has(CKA_KEYSCOPE_TSS2_KEY)) {
    if (given.Has(CKA_KEYSCOPE_TSS2_AUTH))
      Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_KEYSCOPE_TSS2_AUTH is for CKA_KEYSCOPE_TSS2_KEY");
    return;
  }
  if (given.Ulong(CKA_CLASS) != CKO_PRIVATE_KEY) return;  // the rules refuse that
  CheckNothingElse(given);
  const crypto::Tss2Key file = KeyFileIn(given);
  if (file.has_policy) RefuseFile(CKR_ATTRIBUTE_VALUE_INVALID, "the key is bound to a policy");
  if (file.rsa_parent) RefuseFile(CKR_ATTRIBUTE_VALUE_INVALID, "its parent is an RSA primary");
  if (!file.empty_auth && !given.Has(CKA_KEYSCOPE_TSS2_AUTH))
    RefuseFile(CKR_TEMPLATE_INCOMPLETE,
               "the key has an authorization of its own: give it as CKA_KEYSCOPE_TSS2_AUTH");
  const tpm::KeyBlob blob{Copy(file.public_area), {}};
  const tpm::PublicKey key = Checked([&] { return backend.PublicOf(blob); });
  const tpm::KeyUses uses = backend.UsesOf(blob);
  const bool rsa = std::holds_alternative<tpm::RsaPublic>(key);
  AttributeSet implied;
  implied.SetUlong(CKA_KEY_TYPE, rsa ? CKK_RSA : CKK_EC);
  SetPublic(implied, rsa ? kRsaPrivate : kEcPrivate, key);
  for (const auto& [type, value] : implied) {
    if (given.Has(type) && !Equal(given.Get(type), value))
      RefuseFile(CKR_TEMPLATE_INCONSISTENT,
                 std::string("the key has another ") + FindRule(type)->name);
    given.Set(type, value);
  }
  constexpr const char* kWhy = "the key's TPM attributes do not permit that";
  if (!uses.signs) ImplyNot(given, {CKA_SIGN, CKA_SIGN_RECOVER}, kWhy);
  if (!uses.decrypts) ImplyNot(given, {CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE}, kWhy);
}

void CompleteFromKeyFile(Object& object, Token& token) {
  const crypto::Tss2Key file = KeyFileIn(object.attributes);
  CheckTpmHas(Checked([&] { return PublicOf(object); }), *token.facts());
  const tpm::ForeignKey foreign{
      .blob = {Copy(file.public_area), Copy(file.private_area)},
      .import_secret = Copy(file.secret),
      .parent = file.parent,
      .auth = SecretBytes(object.attributes.Get(CKA_KEYSCOPE_TSS2_AUTH)),
  };
  SecretBytes auth = NewKeyAuth();
  tpm::KeyBlob blob =
      Checked([&] { return token.backend().Adopt(token.RootOfKeys(), foreign, auth); });
  for (CK_ATTRIBUTE_TYPE type : {CKA_KEYSCOPE_TSS2_KEY, CKA_KEYSCOPE_TSS2_AUTH})
    object.attributes.Erase(type);
  token.objects().AttachKey(object, std::move(blob), std::move(auth));
}

}  // namespace keyscope::token
