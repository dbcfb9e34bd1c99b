// Keys that are made from nothing or from other keys: generate, unwrap, derive; and wrapping.
#include <algorithm>

#include "p11/cryptoki.h"
#include "p11/keyscope.h"
#include "token/attestation.h"
#include "token/create.h"
#include "token/crypto/key_info.h"
#include "token/key_use.h"
#include "token/parameters.h"
#include "token/pcr_binding.h"
#include "token/public_of.h"
#include "token/refuse.h"
#include "token/schemes.h"
#include "token/secret_key.h"
#include "token/session.h"
#include "token/template.h"

namespace keyscope::token {
namespace {

constexpr int kNameTries = 3;

CK_KEY_TYPE KeyTypeOf(Family family) {
  switch (family) {
    case Family::Rsa:
      return CKK_RSA;
    case Family::Ec:
      return CKK_EC;
    case Family::Aes:
      return CKK_AES;
    case Family::Generic:
    case Family::AnySecret:
    case Family::Attestation:
    case Family::None:
      break;
  }
  return CKK_GENERIC_SECRET;
}

void SetHistory(AttributeSet& attributes, bool always_sensitive, bool never_extractable) {
  attributes.SetBool(CKA_ALWAYS_SENSITIVE, always_sensitive && attributes.Bool(CKA_SENSITIVE));
  attributes.SetBool(CKA_NEVER_EXTRACTABLE, never_extractable && !attributes.Bool(CKA_EXTRACTABLE));
}

void SetGenerated(AttributeSet& attributes, CK_MECHANISM_TYPE mechanism) {
  attributes.SetBool(CKA_LOCAL, true);
  attributes.SetUlong(CKA_KEY_GEN_MECHANISM, mechanism);
}

// A wrapped key is data to the mechanism; its errors are told in the words of wrapping.
template <typename Call>
auto InWordsOf(std::initializer_list<std::pair<CK_RV, CK_RV>> words, Call call) {
  try {
    return call();
  } catch (const Error& error) {
    const Rv* rv = std::get_if<Rv>(&error.cause());
    for (auto [from, to] : words)
      if (rv != nullptr && rv->value == from) Refuse(to, error.what());
    throw;
  }
}

bool IsSecretTemplate(const AttributeSet& given) {
  return given.Ulong(CKA_CLASS) == CKO_SECRET_KEY;
}

void CheckLength(const SecretBytes& value, const AttributeSet& attributes) {
  const auto wanted = attributes.Ulong(CKA_VALUE_LEN);
  if (wanted && *wanted != value.size())
    Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_VALUE_LEN is not the length of the wrapped key");
}

// What the unwrapping or base key says of the keys that come of it: CKR_TEMPLATE_INCONSISTENT where
// the caller's template says otherwise (sections 5.18.4 and 5.18.5).
void AddTemplateOf(const Object& key, CK_ATTRIBUTE_TYPE type, AttributeSet& given) {
  for (const auto& [imposed, value] : Decode(key.attributes.Get(type))) {
    if (given.Has(imposed) && !Equal(given.Get(imposed), value))
      Refuse(CKR_TEMPLATE_INCONSISTENT, std::string("the key's ") + FindRule(type)->name +
                                            " has another " + FindRule(imposed)->name);
    given.Set(imposed, value);
  }
}

Object HalfOfPair(AttributeSet given, CK_OBJECT_CLASS object_class, const MechanismRule& rule,
                  Token& token) {
  Imply(given, CKA_CLASS, object_class);
  Imply(given, CKA_KEY_TYPE, KeyTypeOf(rule.family));
  Object object = NewObject(std::move(given), Purpose::Generate, token);
  SetGenerated(object.attributes, rule.type);
  return object;
}

// Where an EC key signs or agrees (Facts::ec_either), the template says which.
void ImplyUseOfEc(AttributeSet& private_given) {
  if (!private_given.Bool(CKA_DERIVE)) return;
  if (!private_given.Has(CKA_SIGN)) private_given.SetBool(CKA_SIGN, false);
}

void SetUseOfEc(const AttributeSet& attributes, tpm::EcSpec& spec) {
  spec.agrees = attributes.Bool(CKA_DERIVE);
  if (spec.agrees && attributes.Bool(CKA_SIGN))
    Refuse(CKR_TEMPLATE_INCONSISTENT,
           "an EC key of this device signs or derives, not both: CKA_SIGN and CKA_DERIVE are true");
}

// Makes the TPM half of a new key. Where a provider keeps it under a name, that is noted before it
// is made, in `placement`; a name that is taken is given up for another one.
tpm::KeyBlob MakeKey(const Birth& birth, Object& key, tpm::KeySpec spec, const SecretBytes& auth,
                     Token& token, std::optional<Erasure::Placement>& placement) {
  for (int tries = 1;; ++tries) {
    spec.name = key.attributes.Bool(CKA_TOKEN) ? token.backend().NewName(key.uid) : Bytes();
    if (spec.name.empty()) return GiveBirth(birth, key, std::move(spec), auth, token);
    if (key.attributes.Bool(CKA_KEYSCOPE_PERSISTENT))
      Refuse(CKR_ATTRIBUTE_VALUE_INVALID,
             "CKA_KEYSCOPE_PERSISTENT: the provider keeps its keys in a way of its own");
    placement.emplace(token.erasure().Announce(key.uid, spec.name));
    try {
      return GiveBirth(birth, key, spec, auth, token);
    } catch (const Error& error) {
      if (error.Is(Fault::Denied) && spec.scope == KeyScope::Machine)
        Refuse(CKR_ACTION_PROHIBITED, "keys of the machine are made by administrators and SYSTEM");
      if (!error.Is(Fault::Exists)) throw;
      placement->Withdraw();
      if (tries == kNameTries) throw;
      GiveIdentity(key, token.scope());
    }
  }
}

// Keeps a new key at a handle of the TPM, where that was asked for.
void PlaceIfAsked(Object& key, Token& token, std::optional<Erasure::Placement>& placement) {
  if (key.attributes.Bool(CKA_KEYSCOPE_PERSISTENT))
    placement.emplace(token.erasure().Place(token.RootOfKeys(), *token.objects().KeyOf(key)));
  if (!placement) return;
  key.material->handle = placement->note().handle;
  key.material->name = placement->note().name;
}

}  // namespace

std::pair<CK_OBJECT_HANDLE, CK_OBJECT_HANDLE> Session::GenerateKeyPair(
    const CK_MECHANISM& mechanism, Template public_attributes, Template private_attributes) {
  CheckOpen();
  const auto facts = token_.facts();
  const MechanismRule& rule = token_.Mechanism(mechanism.mechanism);
  if (rule.scheme->generate_pair == nullptr)
    Refuse(CKR_MECHANISM_INVALID, "the mechanism generates no key pairs");
  NoParameters(mechanism);

  AttributeSet public_given = ParseTemplate(public_attributes);
  AttributeSet private_given = ParseTemplate(private_attributes);
  ImplyUsesOfAk(public_given, private_given);
  const tpm::PcrSelection pcrs = PcrsAskedFor(private_given);
  if (facts->ec_either && rule.family == Family::Ec) ImplyUseOfEc(private_given);
  Object public_half = HalfOfPair(std::move(public_given), CKO_PUBLIC_KEY, rule, token_);
  Object private_half = HalfOfPair(std::move(private_given), CKO_PRIVATE_KEY, rule, token_);
  SetHistory(private_half.attributes, true, true);
  CheckMayCreate(public_half.attributes);
  CheckMayCreate(private_half.attributes);
  tpm::KeySpec spec = rule.scheme->generate_pair(public_half.attributes, *facts);
  spec.scope = token_.scope();
  if (auto* ec = std::get_if<tpm::EcSpec>(&spec.algorithm); ec != nullptr && facts->ec_either)
    SetUseOfEc(private_half.attributes, *ec);
  // Before the TPM works, which may take minutes: the store must be able to take the key.
  if (private_half.attributes.Bool(CKA_TOKEN)) token_.login().vault();
  const Birth birth = PlanBirth(private_half, spec, token_);

  token_.erasure().Retry();
  BindTo(pcrs, private_half, spec, token_);
  Bytes uid = private_half.uid;
  std::optional<Erasure::Placement> placement;
  try {
    SecretBytes auth = NewKeyAuth();
    tpm::KeyBlob blob = MakeKey(birth, private_half, std::move(spec), auth, token_, placement);
    uid = private_half.uid;
    const tpm::PublicKey key = token_.backend().PublicOf(blob);
    SetPublic(public_half.attributes, public_half.kind, key);
    SetPublic(private_half.attributes, private_half.kind, key);
    token_.objects().AttachKey(private_half, std::move(blob), std::move(auth));
    PlaceIfAsked(private_half, token_, placement);
    const auto handles = KeepPair(std::move(public_half), std::move(private_half));
    if (placement) placement->Keep();
    return handles;
  } catch (...) {
    token_.backend().Release(uid);
    throw;
  }
}

std::pair<CK_OBJECT_HANDLE, CK_OBJECT_HANDLE> Session::KeepPair(Object public_half,
                                                                Object private_half) {
  const bool together =
      public_half.attributes.Bool(CKA_TOKEN) == private_half.attributes.Bool(CKA_TOKEN);
  std::vector<Object> first, second;
  first.push_back(std::move(private_half));
  (together ? first : second).push_back(std::move(public_half));
  auto handles = Keep(std::move(first));
  if (together) return {handles[1], handles[0]};
  try {
    return {Keep(std::move(second)).front(), handles[0]};
  } catch (...) {
    token_.objects().Destroy(handles[0]);
    throw;
  }
}

CK_OBJECT_HANDLE Session::GenerateKey(const CK_MECHANISM& mechanism, Template attributes) {
  CheckOpen();
  const MechanismRule& rule = token_.Mechanism(mechanism.mechanism);
  if (rule.scheme->generate == nullptr)
    Refuse(CKR_MECHANISM_INVALID, "the mechanism generates no secret keys");
  NoParameters(mechanism);
  AttributeSet given = ParseTemplate(attributes);
  Imply(given, CKA_CLASS, CKO_SECRET_KEY);
  if (rule.family == Family::Aes || !given.Has(CKA_KEY_TYPE))
    Imply(given, CKA_KEY_TYPE, KeyTypeOf(rule.family));
  Object object = NewObject(std::move(given), Purpose::Generate, token_);
  if (FamilyOf(object) != rule.family)
    Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_KEY_TYPE is not what the mechanism makes");
  CheckMayCreate(object.attributes);
  SetGenerated(object.attributes, rule.type);
  SetHistory(object.attributes, true, true);
  const Bytes uid = object.uid;
  try {
    GenerateSecret(object, rule.scheme->generate(object.attributes), token_);
    return Keep(std::move(object));
  } catch (...) {
    token_.backend().Release(uid);
    throw;
  }
}

CK_RV Session::WrapKey(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE wrapping,
                       CK_OBJECT_HANDLE key, Output out) {
  CheckOpen();
  out.Check();
  const MechanismRule& rule = token_.Mechanism(mechanism.mechanism);
  if (!rule.scheme->wraps) Refuse(CKR_MECHANISM_INVALID, "the mechanism wraps no keys");
  const auto wrapper = KeyFor(token_, wrapping, rule,
                              {.usage = CKA_WRAP,
                               .bad_handle = CKR_WRAPPING_KEY_HANDLE_INVALID,
                               .bad_type = CKR_WRAPPING_KEY_TYPE_INCONSISTENT});
  const auto wrapped = KeyObject(token_.objects(), key, CKR_KEY_HANDLE_INVALID);
  if ((wrapped->kind & kPublic) != 0)
    Refuse(CKR_KEY_NOT_WRAPPABLE, "a public key needs no wrapping");
  if (!wrapped->attributes.Bool(CKA_EXTRACTABLE))
    Refuse(CKR_KEY_UNEXTRACTABLE, "the key says that it is not to be extracted");
  if (wrapped->attributes.Bool(CKA_WRAP_WITH_TRUSTED) && !wrapper->attributes.Bool(CKA_TRUSTED))
    Refuse(CKR_KEY_NOT_WRAPPABLE, "the key is wrapped with trusted keys only");
  if (!Matches(*wrapped, Decode(wrapper->attributes.Get(CKA_WRAP_TEMPLATE))))
    Refuse(CKR_KEY_HANDLE_INVALID, "the key is none that the CKA_WRAP_TEMPLATE permits");
  const auto operation = rule.scheme->encrypt(MaterialsOf(token_, rule, mechanism, wrapper.get()));
  const SecretBytes result = InWordsOf({{CKR_DATA_LEN_RANGE, CKR_KEY_SIZE_RANGE}}, [&] {
    return operation->Once(HostValue(*token_.objects().KeyOf(*wrapped)).view());
  });
  return out.Put(result.view()) ? CKR_OK : CKR_BUFFER_TOO_SMALL;
}

CK_OBJECT_HANDLE Session::UnwrapKey(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE unwrapping,
                                    Input wrapped, Template attributes) {
  CheckOpen();
  const ByteView data = wrapped.view();
  const MechanismRule& rule = token_.Mechanism(mechanism.mechanism);
  if (!rule.scheme->wraps) Refuse(CKR_MECHANISM_INVALID, "the mechanism unwraps no keys");
  const auto unwrapper = KeyFor(token_, unwrapping, rule,
                                {.usage = CKA_UNWRAP,
                                 .bad_handle = CKR_UNWRAPPING_KEY_HANDLE_INVALID,
                                 .bad_type = CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
                                 .in_one_call = true});
  AttributeSet given = ParseTemplate(attributes);
  AddTemplateOf(*unwrapper, CKA_UNWRAP_TEMPLATE, given);
  // The default of section 5.18.4: what came in wrapped may go out so.
  if (IsSecretTemplate(given) && !given.Has(CKA_EXTRACTABLE)) given.SetBool(CKA_EXTRACTABLE, true);
  Object object = NewObject(std::move(given), Purpose::Unwrap, token_);
  if ((object.kind & (kSecret | kPrivate)) == 0)
    Refuse(CKR_TEMPLATE_INCONSISTENT, "secret and private keys are unwrapped, nothing else");
  CheckMayCreate(object.attributes);
  const auto operation =
      rule.scheme->decrypt(MaterialsOf(token_, rule, mechanism, unwrapper.get()));
  SecretBytes value = InWordsOf({{CKR_ENCRYPTED_DATA_INVALID, CKR_WRAPPED_KEY_INVALID},
                                 {CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_WRAPPED_KEY_LEN_RANGE}},
                                [&] { return operation->Once(data); });
  if ((object.kind & kSecret) != 0) {
    CheckLength(value, object.attributes);
    SetSecretValue(object, std::move(value), token_, CKR_WRAPPED_KEY_INVALID);
  } else {
    const auto key = crypto::DecodePrivateKeyInfo(value.view());
    const bool fits =
        key && (object.kind == kRsaPrivate) == std::holds_alternative<tpm::RsaPrivate>(*key);
    if (!fits) Refuse(CKR_WRAPPED_KEY_INVALID, "what was unwrapped is no PKCS #8 key of that type");
    ImportPrivate(object, *key, token_);
  }
  return Keep(std::move(object));
}

CK_OBJECT_HANDLE Session::DeriveKey(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base,
                                    Template attributes) {
  CheckOpen();
  const MechanismRule& rule = token_.Mechanism(mechanism.mechanism);
  if (rule.scheme->derive == nullptr)
    Refuse(CKR_MECHANISM_INVALID, "the mechanism derives no keys");
  const auto base_key = KeyFor(token_, base, rule, {.usage = CKA_DERIVE, .in_one_call = true});
  AttributeSet given = ParseTemplate(attributes);
  AddTemplateOf(*base_key, CKA_DERIVE_TEMPLATE, given);
  Imply(given, CKA_CLASS, CKO_SECRET_KEY);
  if (!given.Has(CKA_KEY_TYPE)) given.SetUlong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  Object object = NewObject(std::move(given), Purpose::Derive, token_);
  CheckMayCreate(object.attributes);
  if ((base_key->kind & (kPrivate | kSecret)) == 0)
    Refuse(CKR_KEY_TYPE_INCONSISTENT, "keys are derived from private and secret keys");
  SetHistory(object.attributes, base_key->attributes.Bool(CKA_ALWAYS_SENSITIVE),
             base_key->attributes.Bool(CKA_NEVER_EXTRACTABLE));
  std::optional<size_t> wanted;
  if (auto length = object.attributes.Ulong(CKA_VALUE_LEN)) wanted = *length;
  if (wanted.value_or(0) > kLargestGenericSecret)
    Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: too long for a secret key");
  SecretBytes value =
      rule.scheme->derive(MaterialsOf(token_, rule, mechanism, base_key.get()), wanted);
  SetSecretValue(object, std::move(value), token_,
                 wanted ? CKR_ATTRIBUTE_VALUE_INVALID : CKR_TEMPLATE_INCOMPLETE);
  return Keep(std::move(object));
}

}  // namespace keyscope::token
