#include "token/attestation.h"

#include "p11/keyscope.h"
#include "token/create.h"
#include "token/refuse.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

constexpr size_t kLongestQualifyingData = 64;
constexpr unsigned kAkBits = 2048;
constexpr const char* kNotOfAk = "an attestation key cannot be used for that";

void CheckAkAlgorithm(const tpm::KeySpec& spec, const tpm::Facts& facts) {
  if (const auto* rsa = std::get_if<tpm::RsaSpec>(&spec.algorithm)) {
    if (rsa->bits != kAkBits) Refuse(CKR_KEY_SIZE_RANGE, "RSA attestation keys have 2048 bits");
  } else if (facts.only_rsa_aks) {
    Refuse(CKR_CURVE_NOT_SUPPORTED, "this device has RSA attestation keys only");
  } else if (std::get<tpm::EcSpec>(spec.algorithm).curve != tpm::Curve::P256) {
    Refuse(CKR_CURVE_NOT_SUPPORTED, "EC attestation keys are on P-256");
  }
}

void CheckRequest(const AttributeSet& asked) {
  const bool of_ak = asked.Bool(CKA_KEYSCOPE_ATTESTATION_KEY);
  const bool attested = !asked.Get(CKA_KEYSCOPE_ATTESTED_BY).empty();
  const ByteView qualifying = asked.Get(CKA_KEYSCOPE_QUALIFYING_DATA);
  if (of_ak && attested)
    Refuse(CKR_TEMPLATE_INCONSISTENT, "an attestation key is not attested by another one");
  if (!of_ak && !attested && !qualifying.empty())
    Refuse(CKR_TEMPLATE_INCONSISTENT,
           "CKA_KEYSCOPE_QUALIFYING_DATA is for attestation keys and the keys that they attest");
  if (!attested && asked.Bool(CKA_KEYSCOPE_CREATION_ONLY))
    Refuse(CKR_TEMPLATE_INCONSISTENT,
           "CKA_KEYSCOPE_CREATION_ONLY is for keys that an attestation key attests");
  if (qualifying.size() > kLongestQualifyingData)
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID,
           "CKA_KEYSCOPE_QUALIFYING_DATA has at most 64 bytes; give a hash of longer data");
  if (of_ak && asked.Bool(CKA_ALWAYS_AUTHENTICATE))
    Refuse(CKR_TEMPLATE_INCONSISTENT,
           "CKA_ALWAYS_AUTHENTICATE: an attestation key is used while other keys are made");
  if (asked.Bool(CKA_KEYSCOPE_PERSISTENT) && !asked.Bool(CKA_TOKEN))
    Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_KEYSCOPE_PERSISTENT is for token objects");
}

std::shared_ptr<const Object> FindAk(ByteView unique_id, Token& token) {
  token.login().vault();  // CKR_USER_NOT_LOGGED_IN
  Search search{.wanted = AttributeSet()};
  search.wanted->SetUlong(CKA_CLASS, CKO_PRIVATE_KEY);
  search.wanted->SetBool(CKA_KEYSCOPE_ATTESTATION_KEY, true);
  search.wanted->Set(CKA_UNIQUE_ID, unique_id);
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  if (token.objects().Next(search, {&handle, 1}) != 0) return token.objects().Get(handle);

  const Token* sibling = token.sibling();
  if (sibling != nullptr && token.sibling()->objects().HasAk(AsString(unique_id))) {
    const std::string mine(Name(token.scope())), theirs(Name(sibling->scope()));
    Refuse(
        CKR_TEMPLATE_INCONSISTENT,
        "CKA_KEYSCOPE_ATTESTED_BY: attested keys inherit the scope of their attestation key, and "
        "this one has " +
            theirs + " scope; make the key in the " + theirs +
            " slot, or have it attested by a key of the " + mine + " slot");
  }
  Refuse(CKR_KEYSCOPE_NO_SUCH_AK,
         "CKA_KEYSCOPE_ATTESTED_BY is not the CKA_UNIQUE_ID of an attestation key");
}

std::string_view OutsideInfo(KeyScope scope) {
  return scope == KeyScope::Machine ? KEYSCOPE_OUTSIDE_INFO_MACHINE : KEYSCOPE_OUTSIDE_INFO_USER;
}

void SetStatement(AttributeSet& evidence, CK_ATTRIBUTE_TYPE attest, CK_ATTRIBUTE_TYPE signature,
                  const tpm::Statement& statement) {
  evidence.Set(attest, statement.attest);
  evidence.Set(signature, statement.signature);
}

}  // namespace

void ForbidUsesToAk(AttributeSet& attributes) {
  if (attributes.Bool(CKA_KEYSCOPE_ATTESTATION_KEY))
    ImplyNot(attributes, {CKA_SIGN_RECOVER, CKA_UNWRAP, CKA_DERIVE}, kNotOfAk);
}

void ImplyUsesOfAk(AttributeSet& public_given, AttributeSet& private_given) {
  if (!private_given.Bool(CKA_KEYSCOPE_ATTESTATION_KEY)) return;
  if (!private_given.Has(CKA_DECRYPT)) private_given.SetBool(CKA_DECRYPT, true);
  ForbidUsesToAk(private_given);
  ImplyNot(public_given, {CKA_ENCRYPT, CKA_WRAP, CKA_DERIVE}, kNotOfAk);
}

Birth PlanBirth(const Object& key, const tpm::KeySpec& spec, Token& token) {
  const AttributeSet& asked = key.attributes;
  CheckRequest(asked);
  Birth birth{.of_ak = asked.Bool(CKA_KEYSCOPE_ATTESTATION_KEY), .ak = nullptr};
  if (birth.of_ak) CheckAkAlgorithm(spec, *token.facts());
  if (asked.Bool(CKA_KEYSCOPE_CREATION_ONLY) && token.facts()->only_certify)
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID,
           "CKA_KEYSCOPE_CREATION_ONLY: this device does not state the creation of keys");
  const ByteView attested_by = asked.Get(CKA_KEYSCOPE_ATTESTED_BY);
  if (attested_by.empty()) return birth;
  birth.ak = FindAk(attested_by, token);
  if (!birth.ak->attributes.Bool(CKA_SIGN))
    Refuse(CKR_KEY_FUNCTION_NOT_PERMITTED, "CKA_SIGN of the attestation key is false");
  return birth;
}

tpm::KeyBlob GiveBirth(const Birth& birth, Object& key, tpm::KeySpec spec, const SecretBytes& auth,
                       Token& token) {
  tpm::Backend& backend = token.backend();
  const tpm::Root root = token.RootOfKeys();
  if (!birth.of_ak && birth.ak == nullptr) return backend.Create(root, spec, auth);

  spec.attestation_key = birth.of_ak;
  spec.creation_only = key.attributes.Bool(CKA_KEYSCOPE_CREATION_ONLY);
  spec.outside_info = Copy(AsBytes(OutsideInfo(token.scope())));
  const auto ak = birth.of_ak ? nullptr : token.objects().KeyOf(*birth.ak);
  tpm::CreatedKey made;
  try {
    made = backend.CreateAttested(root, key.uid, spec, auth, ak.get(),
                                  key.attributes.Get(CKA_KEYSCOPE_QUALIFYING_DATA));
  } catch (const Error& error) {
    if (!error.Is(Fault::BadInput)) throw;
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID,
           std::string("CKA_KEYSCOPE_QUALIFYING_DATA: ") + error.what());
  }
  AttributeSet& evidence = key.attributes;
  if (!made.creation_data.empty()) {
    evidence.Set(CKA_KEYSCOPE_CREATION_DATA, made.creation_data);
    SetStatement(evidence, CKA_KEYSCOPE_CREATION_ATTEST, CKA_KEYSCOPE_CREATION_SIGNATURE,
                 made.creation);
  }
  if (made.certification)
    SetStatement(evidence, CKA_KEYSCOPE_ATTEST, CKA_KEYSCOPE_SIGNATURE, *made.certification);
  if (ak != nullptr) {
    evidence.Set(CKA_KEYSCOPE_AK_PUBLIC, backend.TpmtPublicOf(ak->blob));
    evidence.Set(CKA_KEYSCOPE_AK_NAME, backend.NameOf(ak->blob));
  }
  return std::move(made.blob);
}

}  // namespace keyscope::token
