#include "token/create.h"

#include <algorithm>

#include "base/ossl.h"
#include "p11/keyscope.h"
#include "token/attestation.h"
#include "token/crypto/aes.h"
#include "token/crypto/certificate.h"
#include "token/crypto/ec.h"
#include "token/crypto/hash.h"
#include "token/crypto/key_info.h"
#include "token/crypto/rsa.h"
#include "token/key_file.h"
#include "token/public_of.h"
#include "token/refuse.h"
#include "token/schemes.h"
#include "token/secret_key.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

constexpr size_t kKeyAuthSize = 32, kCheckValueSize = 3;
constexpr uint8_t kF4[] = {1, 0, 1};
// CK_CERTIFICATE_CATEGORY_OTHER_ENTITY, CK_SECURITY_DOMAIN_THIRD_PARTY.
constexpr CK_ULONG kLastCategory = 3;

// CKA_CHECK_VALUE: computed when absent, checked when given (section 4.6.2; an empty one stays
// empty).
void SetCheckValue(AttributeSet& attributes, ByteView digest) {
  const ByteView computed = digest.first(kCheckValueSize);
  if (!attributes.Has(CKA_CHECK_VALUE)) attributes.Set(CKA_CHECK_VALUE, computed);
  const ByteView given = attributes.Get(CKA_CHECK_VALUE);
  if (!given.empty() && !Equal(given, computed))
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_CHECK_VALUE is not that of the value");
}

void SetIfEmpty(AttributeSet& attributes, CK_ATTRIBUTE_TYPE type, ByteView value) {
  if (attributes.Get(type).empty()) attributes.Set(type, value);
}

void CompleteCertificate(Object& object, Token&) {
  AttributeSet& attributes = object.attributes;
  if (attributes.Ulong(CKA_CERTIFICATE_TYPE) != CKC_X_509)
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "only X.509 certificates are kept");
  for (CK_ATTRIBUTE_TYPE type : {CKA_CERTIFICATE_CATEGORY, CKA_JAVA_MIDP_SECURITY_DOMAIN})
    if (attributes.Ulong(type).value_or(0) > kLastCategory)
      Refuse(CKR_ATTRIBUTE_VALUE_INVALID, std::string(FindRule(type)->name) + " is none of 0 to 3");
  if (!attributes.Has(CKA_NAME_HASH_ALGORITHM))
    attributes.SetUlong(CKA_NAME_HASH_ALGORITHM, CKM_SHA_1);
  const ByteView value = attributes.Get(CKA_VALUE);
  if (value.empty()) {
    if (attributes.Get(CKA_URL).empty() || attributes.Get(CKA_HASH_OF_SUBJECT_PUBLIC_KEY).empty() ||
        attributes.Get(CKA_HASH_OF_ISSUER_PUBLIC_KEY).empty())
      Refuse(CKR_TEMPLATE_INCOMPLETE,
             "a certificate needs its CKA_VALUE, or its CKA_URL and the hashes of both keys");
    return;
  }
  const auto fields = crypto::ParseCertificate(value);
  if (!fields) Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE is no DER certificate");
  SetIfEmpty(attributes, CKA_SUBJECT, fields->subject);
  SetIfEmpty(attributes, CKA_ISSUER, fields->issuer);
  SetIfEmpty(attributes, CKA_SERIAL_NUMBER, fields->serial);
  SetIfEmpty(attributes, CKA_PUBLIC_KEY_INFO, fields->public_key_info);
  if (!Equal(attributes.Get(CKA_PUBLIC_KEY_INFO), fields->public_key_info))
    Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_PUBLIC_KEY_INFO is not that of the certificate");
  SetCheckValue(attributes, crypto::Digest(tpm::Hash::Sha1, value));
}

// What a template says of the public half beside the numbers must be true of them.
void CheckPublicHalf(const AttributeSet& given, const tpm::PublicKey& key) {
  const ByteView info = given.Get(CKA_PUBLIC_KEY_INFO), point = given.Get(CKA_EC_POINT);
  if (!info.empty()) {
    const auto named = crypto::DecodePublicKeyInfo(info);
    if (!named) Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_KEY_INFO is no public key");
    if (crypto::EncodePublicKeyInfo(*named) != crypto::EncodePublicKeyInfo(key))
      Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_PUBLIC_KEY_INFO is of another key");
  }
  const auto* ec = std::get_if<tpm::EcPublic>(&key);
  if (ec == nullptr || point.empty()) return;
  const auto named = crypto::DecodePoint(ec->curve, point);
  if (!named) Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_POINT is no point of the curve");
  if (named->x != ec->x || named->y != ec->y)
    Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_EC_POINT is of another key");
}

void CompleteRsaPublic(Object& object, Token&) {
  AttributeSet& attributes = object.attributes;
  const auto key =
      crypto::RsaPublicFrom(attributes.Get(CKA_MODULUS), attributes.Get(CKA_PUBLIC_EXPONENT));
  if (!key) Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "the modulus and the exponent are no RSA key");
  CheckPublicHalf(attributes, *key);
  SetPublic(attributes, object.kind, *key);
}

tpm::Curve CurveOf(const AttributeSet& attributes) {
  const auto curve = crypto::CurveFromParams(attributes.Get(CKA_EC_PARAMS));
  if (!curve) Refuse(CKR_CURVE_NOT_SUPPORTED, "CKA_EC_PARAMS names no curve that is known here");
  return *curve;
}

void CompleteEcPublic(Object& object, Token&) {
  AttributeSet& attributes = object.attributes;
  const auto key = crypto::DecodePoint(CurveOf(attributes), attributes.Get(CKA_EC_POINT));
  if (!key) Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_POINT is no point of the curve");
  CheckPublicHalf(attributes, *key);
  SetPublic(attributes, object.kind, *key);
}

void CompleteRsaPrivate(Object& object, Token& token) {
  const AttributeSet& given = object.attributes;
  const ByteView exponent = given.Get(CKA_PUBLIC_EXPONENT);
  auto key = crypto::RsaPrivateFrom({.modulus = given.Get(CKA_MODULUS),
                                     .public_exponent = exponent.empty() ? ByteView(kF4) : exponent,
                                     .private_exponent = given.Get(CKA_PRIVATE_EXPONENT),
                                     .prime1 = given.Get(CKA_PRIME_1),
                                     .prime2 = given.Get(CKA_PRIME_2)});
  if (!key) Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "the numbers are no RSA private key");
  ImportPrivate(object, std::move(*key), token);
}

void CompleteEcPrivate(Object& object, Token& token) {
  const AttributeSet& given = object.attributes;
  auto key = crypto::PrivateFromScalar(CurveOf(given), given.Get(CKA_VALUE));
  if (!key) Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE is no private key of the curve");
  ImportPrivate(object, std::move(*key), token);
}

void CompleteSecret(Object& object, Token& token) {
  SetSecretValue(object, SecretBytes(object.attributes.Get(CKA_VALUE)), token);
}

void NothingToComplete(Object&, Token&) {}

struct CompletionRow {
  Kind kind;
  void (*complete)(Object&, Token&);
};
constexpr CompletionRow kCompletions[] = {
    {kData, NothingToComplete},
    {kCertificate, CompleteCertificate},
    {kRsaPublic, CompleteRsaPublic},
    {kEcPublic, CompleteEcPublic},
    {kRsaPrivate, CompleteRsaPrivate},
    {kEcPrivate, CompleteEcPrivate},
    {kAes, CompleteSecret},
    {kGeneric, CompleteSecret},
};

// A key in the TPM cannot be taken out again, and says so.
void CheckStaysInside(const AttributeSet& attributes, Kind kind) {
  if ((kind & kPrivate) == 0) return;
  if (attributes.Has(CKA_SENSITIVE) && !attributes.Bool(CKA_SENSITIVE))
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID,
           "CKA_SENSITIVE: private keys live in the TPM and cannot be read");
  if (attributes.Bool(CKA_EXTRACTABLE))
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EXTRACTABLE: private keys cannot leave the TPM");
}

// The first bytes of the encryption of zeros (AES), or of the SHA-1 hash (section 4.10.2).
Bytes CheckValueOf(crypto::Aes& key) { return Copy(key.Encrypt(Bytes(crypto::kAesBlock)).view()); }
Bytes CheckValueOf(Kind kind, const SecretBytes& value) {
  if (kind == kAes) return CheckValueOf(*crypto::HostAes(value.view()));
  return crypto::Digest(tpm::Hash::Sha1, value.view());
}

// `value` empty: the TPM draws it.
void PutIntoTpm(Object& object, tpm::SecretSpec spec, const SecretBytes& value, Token& token) {
  spec.scope = token.scope();
  SecretBytes auth = NewKeyAuth();
  tpm::KeyBlob blob = token.backend().CreateSecret(token.RootOfKeys(), spec, value, auth);
  object.attributes.SetBool(CKA_KEYSCOPE_IN_TPM, true);
  token.objects().AttachKey(object, std::move(blob), std::move(auth));
}

// A certificate may be for a key of the other scope.
void CheckScope(const AttributeSet& attributes, Kind kind, KeyScope scope) {
  const auto named = attributes.Ulong(CKA_KEYSCOPE_SCOPE);
  if (named && *named != KEYSCOPE_SCOPE_MACHINE && *named != KEYSCOPE_SCOPE_USER)
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_KEYSCOPE_SCOPE is machine (1) or user (2)");
  if (named && IsKey(kind) && *named != static_cast<CK_ULONG>(scope))
    Refuse(CKR_TEMPLATE_INCONSISTENT,
           "CKA_KEYSCOPE_SCOPE names another scope than the slot's, which is " +
               std::string(Name(scope)) + "; use the other slot");
}

}  // namespace

void CheckTpmHas(const tpm::PublicKey& key, const tpm::Facts& facts) {
  if (facts.no_import)
    Refuse(CKR_TEMPLATE_INCONSISTENT, "this device takes no private keys from outside");
  if (const auto* rsa = std::get_if<tpm::RsaPublic>(&key)) {
    if (std::ranges::find(facts.rsa_bits, crypto::ModulusBits(*rsa)) == facts.rsa_bits.end())
      Refuse(CKR_KEY_SIZE_RANGE, "this TPM has no RSA keys of that size");
    if (!Equal(rsa->exponent, kF4))
      Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "TPM keys have the public exponent 65537");
  } else if (std::ranges::find(facts.curves, std::get<tpm::EcPublic>(key).curve) ==
             facts.curves.end()) {
    Refuse(CKR_CURVE_NOT_SUPPORTED, "this TPM does not have that curve");
  }
}

void ImplyNot(AttributeSet& attributes, std::initializer_list<CK_ATTRIBUTE_TYPE> uses,
              const char* why) {
  for (CK_ATTRIBUTE_TYPE use : uses) {
    if (attributes.Bool(use))
      Refuse(CKR_TEMPLATE_INCONSISTENT, std::string(FindRule(use)->name) + ": " + why);
    attributes.SetBool(use, false);
  }
}

void Imply(AttributeSet& attributes, CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  if (attributes.Has(type) && attributes.Ulong(type) != value)
    Refuse(CKR_TEMPLATE_INCONSISTENT,
           std::string(FindRule(type)->name) + " is not what the mechanism makes");
  attributes.SetUlong(type, value);
}

void SetSecretValue(Object& object, SecretBytes value, Token& token, CK_RV bad_length) {
  AttributeSet& attributes = object.attributes;
  if (object.kind == kAes && !crypto::IsAesKeySize(value.size()))
    Refuse(bad_length, "an AES key has 16, 24 or 32 bytes");
  if (value.empty() || value.size() > kLargestGenericSecret)
    Refuse(bad_length, "a secret key that is empty or too long");
  attributes.SetUlong(CKA_VALUE_LEN, static_cast<CK_ULONG>(value.size()));
  SetCheckValue(attributes, CheckValueOf(object.kind, value));
  attributes.Erase(CKA_VALUE);
  if (const auto spec = TpmSpecFor(object, value.size(), *token.facts()))
    PutIntoTpm(object, *spec, value, token);
  else
    token.objects().AttachKey(object, {}, std::move(value));
}

void GenerateSecret(Object& object, size_t size, Token& token) {
  const auto spec = TpmSpecFor(object, size, *token.facts());
  // A TPM does not ask how long an HMAC key is to be. Drawn here for the reason of NewKeyAuth.
  if (!spec || !std::holds_alternative<tpm::AesSpec>(spec->algorithm))
    return SetSecretValue(object, SecretBytes(ossl::Random(size)), token);
  object.attributes.SetUlong(CKA_VALUE_LEN, static_cast<CK_ULONG>(size));
  PutIntoTpm(object, *spec, {}, token);
  const auto key = AesOf(token.backend(), token.login().root(), token.objects().KeyOf(object));
  SetCheckValue(object.attributes, CheckValueOf(*key));
}

SecretBytes NewKeyAuth() { return SecretBytes(ossl::Random(kKeyAuthSize)); }

void ImportPrivate(Object& object, const tpm::PrivateKey& key, Token& token) {
  const tpm::PublicKey public_key =
      std::visit([](const auto& one) -> tpm::PublicKey { return one.public_key; }, key);
  CheckTpmHas(public_key, *token.facts());
  CheckPublicHalf(object.attributes, public_key);
  // The private parts go into the TPM and are kept nowhere else.
  for (const AttributeRule& rule : AttributeRules())
    if ((rule.kinds & object.kind) != 0 && rule.Has(kSensitive)) object.attributes.Erase(rule.type);
  SetPublic(object.attributes, object.kind, public_key);
  SecretBytes auth = NewKeyAuth();
  tpm::KeyBlob blob = token.backend().Import(token.RootOfKeys(), token.scope(), key, auth);
  token.objects().AttachKey(object, std::move(blob), std::move(auth));
}

Object NewObject(AttributeSet given, Purpose purpose, Token& token) {
  Object object;
  object.login = token.login().generation();
  if (purpose == Purpose::Create) ImplyFromKeyFile(given, token.backend());
  object.kind = KindOfTemplate(given);
  CheckNew(given, object.kind, purpose, token.login().IsSo());
  CheckStaysInside(given, object.kind);
  CheckScope(given, object.kind, token.scope());
  object.attributes = std::move(given);
  AddDefaults(object.attributes, object.kind);
  if (object.attributes.Bool(CKA_ALWAYS_AUTHENTICATE) && !object.is_private())
    Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_ALWAYS_AUTHENTICATE is for private objects");
  GiveIdentity(object, token.scope());
  return object;
}

void CompleteCreated(Object& object, Token& token) {
  if (object.attributes.Has(CKA_KEYSCOPE_TSS2_KEY)) return CompleteFromKeyFile(object, token);
  for (const CompletionRow& row : kCompletions)
    if (row.kind == object.kind) return row.complete(object, token);
  Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "no such objects here");
}

Object DeviceObject(AttributeSet attributes, ByteView itself, KeyScope scope) {
  Object object;
  object.kind = KindOfTemplate(attributes);
  object.attributes = std::move(attributes);
  const Bytes digest = crypto::Digest(tpm::Hash::Sha256, Concat({AsBytes(Name(scope)), itself}));
  object.uid = Copy(ByteView(digest).first(kUidSize));
  AttributeSet& to = object.attributes;
  for (CK_ATTRIBUTE_TYPE no : {CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE})
    to.SetBool(no, false);
  to.SetBool(CKA_TOKEN, true);
  to.Set(CKA_UNIQUE_ID, AsBytes(Hex(object.uid)));
  AddDefaults(to, object.kind);
  return object;
}

namespace {

// What the SO looks at when he trusts an object: the uses of a key, who a certificate is from.
constexpr CK_ATTRIBUTE_TYPE kTrustedWith[] = {
    CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN,   CKA_SIGN_RECOVER, CKA_VERIFY,       CKA_VERIFY_RECOVER,
    CKA_WRAP,    CKA_UNWRAP,  CKA_DERIVE, CKA_ISSUER,       CKA_SERIAL_NUMBER};

bool ChangesTrust(const AttributeSet& current, const AttributeSet& changes) {
  return std::ranges::any_of(kTrustedWith, [&](CK_ATTRIBUTE_TYPE type) {
    return changes.Has(type) && !Equal(changes.Get(type), current.Get(type));
  });
}

}  // namespace

void ApplyChanges(Object& object, const AttributeSet& changes, bool copying, bool is_so) {
  CheckChange(object.attributes, changes, object.kind, copying, is_so);
  if (object.attributes.Bool(CKA_TRUSTED) && !is_so && ChangesTrust(object.attributes, changes))
    object.attributes.SetBool(CKA_TRUSTED, false);
  for (const auto& [type, value] : changes) object.attributes.Set(type, value);
  ForbidUsesToAk(object.attributes);
  CheckDates(object.attributes);
}

Object CopyOf(const Object& source, const AttributeSet& changes, Token& token) {
  const bool is_so = token.login().IsSo();
  Object copy;
  copy.login = token.login().generation();
  copy.kind = source.kind;
  for (const auto& [type, value] : source.attributes) copy.attributes.Set(type, value);
  ApplyChanges(copy, changes, true, is_so);
  if (source.is_private() && changes.Has(CKA_PRIVATE) && !changes.Bool(CKA_PRIVATE))
    Refuse(CKR_TEMPLATE_INCONSISTENT, "a private object has no public copy");
  // The SO trusts an object with the uses that it has, not the copies that the user makes of it.
  if (copy.attributes.Bool(CKA_TRUSTED) && !is_so) copy.attributes.SetBool(CKA_TRUSTED, false);
  // The TPM keeps the source only.
  if ((copy.kind & kPrivate) != 0) copy.attributes.SetBool(CKA_KEYSCOPE_PERSISTENT, false);
  GiveIdentity(copy, token.scope());
  return copy;
}

void CompleteCopy(Object& copy, const Object& source, Token& token) {
  if ((source.kind & (kPrivate | kSecret)) == 0) return;
  if (source.material && source.material->handle == 0 && source.material->kept())
    Refuse(CKR_ACTION_PROHIBITED, "the provider keeps the key; a copy would go when the key goes");
  const auto key = token.objects().KeyOf(source);
  token.objects().AttachKey(copy, key->blob, key->auth.Clone());
}

}  // namespace keyscope::token
