#include "token/attribute_rules.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "p11/keyscope.h"

namespace keyscope::token {
namespace {

using enum ValueKind;
constexpr Default kAbsent = Default::Absent, kEmpty = Default::Empty, kFalse = Default::False,
                  kTrue = Default::True, kZero = Default::Zero, kUnknown = Default::Unavailable;
constexpr uint16_t kSecretOrPrivate = kSecret | kPrivate;

#define ROW(type) type, #type

// Version 3.0, sections 4.4 (storage objects), 4.5 (data), 4.6 (certificates), 4.7-4.10 (keys), and
// of the mechanisms document 2.1 (RSA), 2.3 (EC), 2.6 (generic secret), 2.8 (AES). Two rows for one
// type differ in the kinds of object. Where the specification leaves the default to the token (note
// 9), a key may do what its type is made for.
constexpr AttributeRule kAttributeRules[] = {
    // Storage objects. Modifying a data object's own values is allowed, as other tokens do.
    {ROW(CKA_CLASS), Ulong, kAll, Notes(1), kAbsent},
    {ROW(CKA_TOKEN), Bool, kAll, Notes(13), kFalse},
    {ROW(CKA_PRIVATE), Bool, kSecretOrPrivate, Notes(9, 13), kTrue},
    {ROW(CKA_PRIVATE), Bool, kData | kCertificate | kPublic | kProfile, Notes(9, 13), kFalse},
    {ROW(CKA_MODIFIABLE), Bool, kAll, Notes(13), kTrue},
    {ROW(CKA_COPYABLE), Bool, kAll, Notes(12, 13), kTrue},
    {ROW(CKA_DESTROYABLE), Bool, kAll, Notes(13), kTrue},
    {ROW(CKA_LABEL), Bytes, kAll, Notes(8, 14), kEmpty},
    {ROW(CKA_UNIQUE_ID), Bytes, kAll, Notes(2, 4, 6, 14), kAbsent},
    // Data objects.
    {ROW(CKA_APPLICATION), Bytes, kData, Notes(8, 14), kEmpty},
    {ROW(CKA_OBJECT_ID), Bytes, kData, Notes(8, 14), kEmpty},
    {ROW(CKA_VALUE), Bytes, kData, Notes(8), kEmpty},
    // X.509 certificates.
    {ROW(CKA_CERTIFICATE_TYPE), Ulong, kCertificate, Notes(1), kAbsent},
    {ROW(CKA_TRUSTED), Bool, kCertificate, Notes(8, 10), kFalse},
    {ROW(CKA_CERTIFICATE_CATEGORY), Ulong, kCertificate, 0, kZero},
    {ROW(CKA_CHECK_VALUE), Bytes, kCertificate, 0, kAbsent},
    {ROW(CKA_START_DATE), Date, kCertificate, 0, kEmpty},
    {ROW(CKA_END_DATE), Date, kCertificate, 0, kEmpty},
    {ROW(CKA_PUBLIC_KEY_INFO), Bytes, kCertificate, 0, kEmpty},
    {ROW(CKA_SUBJECT), Bytes, kCertificate, Notes(14), kAbsent},
    {ROW(CKA_ID), Bytes, kCertificate, Notes(8, 14), kEmpty},
    {ROW(CKA_ISSUER), Bytes, kCertificate, Notes(8, 14), kEmpty},
    {ROW(CKA_SERIAL_NUMBER), Bytes, kCertificate, Notes(8, 14), kEmpty},
    {ROW(CKA_VALUE), Bytes, kCertificate, Notes(14), kEmpty},
    {ROW(CKA_URL), Bytes, kCertificate, 0, kEmpty},
    {ROW(CKA_HASH_OF_SUBJECT_PUBLIC_KEY), Bytes, kCertificate, 0, kEmpty},
    {ROW(CKA_HASH_OF_ISSUER_PUBLIC_KEY), Bytes, kCertificate, 0, kEmpty},
    {ROW(CKA_JAVA_MIDP_SECURITY_DOMAIN), Ulong, kCertificate, 0, kZero},
    {ROW(CKA_NAME_HASH_ALGORITHM), Ulong, kCertificate, 0, kAbsent},
    // All keys.
    {ROW(CKA_KEY_TYPE), Ulong, kKey, Notes(1, 5), kAbsent},
    {ROW(CKA_ID), Bytes, kKey, Notes(8, 14), kEmpty},
    {ROW(CKA_START_DATE), Date, kKey, Notes(8), kEmpty},
    {ROW(CKA_END_DATE), Date, kKey, Notes(8), kEmpty},
    {ROW(CKA_DERIVE), Bool, kKey, Notes(8), kFalse},
    {ROW(CKA_LOCAL), Bool, kKey, Notes(2, 4, 6), kFalse},
    {ROW(CKA_KEY_GEN_MECHANISM), Ulong, kKey, Notes(2, 4, 6), kUnknown},
    {ROW(CKA_ALLOWED_MECHANISMS), MechanismList, kKey, 0, kAbsent},
    {ROW(CKA_WRAP_TEMPLATE), Nested, kPublic | kSecret, 0, kEmpty},
    {ROW(CKA_UNWRAP_TEMPLATE), Nested, kSecretOrPrivate, 0, kEmpty},
    {ROW(CKA_DERIVE_TEMPLATE), Nested, kSecretOrPrivate, 0, kEmpty},
    // Public keys.
    {ROW(CKA_SUBJECT), Bytes, kPublic | kPrivate, Notes(8, 14), kEmpty},
    {ROW(CKA_ENCRYPT), Bool, kRsaPublic, Notes(8, 9), kTrue},
    {ROW(CKA_ENCRYPT), Bool, kEcPublic, Notes(8, 9), kFalse},
    {ROW(CKA_VERIFY), Bool, kPublic, Notes(8, 9), kTrue},
    {ROW(CKA_VERIFY_RECOVER), Bool, kRsaPublic, Notes(8, 9), kTrue},
    {ROW(CKA_VERIFY_RECOVER), Bool, kEcPublic, Notes(8, 9), kFalse},
    {ROW(CKA_WRAP), Bool, kRsaPublic, Notes(8, 9), kTrue},
    {ROW(CKA_WRAP), Bool, kEcPublic, Notes(8, 9), kFalse},
    {ROW(CKA_TRUSTED), Bool, kPublic | kSecret, Notes(8, 10), kFalse},
    {ROW(CKA_PUBLIC_KEY_INFO), Bytes, kPublic | kPrivate, 0, kAbsent},
    // Private keys.
    {ROW(CKA_SENSITIVE), Bool, kPrivate, Notes(8, 9, 11), kTrue},
    {ROW(CKA_DECRYPT), Bool, kRsaPrivate, Notes(8, 9), kTrue},
    {ROW(CKA_DECRYPT), Bool, kEcPrivate, Notes(8, 9), kFalse},
    {ROW(CKA_SIGN), Bool, kPrivate, Notes(8, 9), kTrue},
    {ROW(CKA_SIGN_RECOVER), Bool, kRsaPrivate, Notes(8, 9), kTrue},
    {ROW(CKA_SIGN_RECOVER), Bool, kEcPrivate, Notes(8, 9), kFalse},
    {ROW(CKA_UNWRAP), Bool, kRsaPrivate, Notes(8, 9), kTrue},
    {ROW(CKA_UNWRAP), Bool, kEcPrivate, Notes(8, 9), kFalse},
    {ROW(CKA_EXTRACTABLE), Bool, kPrivate, Notes(8, 9, 12), kFalse},
    {ROW(CKA_ALWAYS_SENSITIVE), Bool, kSecretOrPrivate, Notes(2, 4, 6), kFalse},
    {ROW(CKA_NEVER_EXTRACTABLE), Bool, kSecretOrPrivate, Notes(2, 4, 6), kFalse},
    {ROW(CKA_WRAP_WITH_TRUSTED), Bool, kSecretOrPrivate, Notes(8, 11), kFalse},
    {ROW(CKA_ALWAYS_AUTHENTICATE), Bool, kPrivate, 0, kFalse},
    // RSA keys.
    {ROW(CKA_MODULUS), Bytes, kRsaPublic, Notes(1, 4, 14), kAbsent},
    {ROW(CKA_MODULUS_BITS), Ulong, kRsaPublic, Notes(2, 3), kAbsent},
    {ROW(CKA_PUBLIC_EXPONENT), Bytes, kRsaPublic, Notes(1), kAbsent},
    {ROW(CKA_MODULUS), Bytes, kRsaPrivate, Notes(1, 4, 6, 14), kAbsent},
    {ROW(CKA_PUBLIC_EXPONENT), Bytes, kRsaPrivate, Notes(4, 6), kAbsent},
    {ROW(CKA_PRIVATE_EXPONENT), Bytes, kRsaPrivate, Notes(1, 4, 6, 7), kAbsent},
    {ROW(CKA_PRIME_1), Bytes, kRsaPrivate, Notes(4, 6, 7), kAbsent},
    {ROW(CKA_PRIME_2), Bytes, kRsaPrivate, Notes(4, 6, 7), kAbsent},
    {ROW(CKA_EXPONENT_1), Bytes, kRsaPrivate, Notes(4, 6, 7), kAbsent},
    {ROW(CKA_EXPONENT_2), Bytes, kRsaPrivate, Notes(4, 6, 7), kAbsent},
    {ROW(CKA_COEFFICIENT), Bytes, kRsaPrivate, Notes(4, 6, 7), kAbsent},
    // EC keys. The private key has its point too: clients that find no public object read it there.
    {ROW(CKA_EC_PARAMS), Bytes, kEcPublic, Notes(1, 3), kAbsent},
    {ROW(CKA_EC_POINT), Bytes, kEcPublic, Notes(1, 4, 14), kAbsent},
    {ROW(CKA_EC_PARAMS), Bytes, kEcPrivate, Notes(1, 4, 6), kAbsent},
    {ROW(CKA_EC_POINT), Bytes, kEcPrivate, Notes(4, 6, 14), kAbsent},
    {ROW(CKA_VALUE), Bytes, kEcPrivate, Notes(1, 4, 6, 7), kAbsent},
    // Secret keys.
    {ROW(CKA_SENSITIVE), Bool, kSecret, Notes(8, 9, 11), kTrue},
    {ROW(CKA_ENCRYPT), Bool, kAes, Notes(8, 9), kTrue},
    {ROW(CKA_ENCRYPT), Bool, kGeneric, Notes(8, 9), kFalse},
    {ROW(CKA_DECRYPT), Bool, kAes, Notes(8, 9), kTrue},
    {ROW(CKA_DECRYPT), Bool, kGeneric, Notes(8, 9), kFalse},
    {ROW(CKA_SIGN), Bool, kSecret, Notes(8, 9), kTrue},
    {ROW(CKA_VERIFY), Bool, kSecret, Notes(8, 9), kTrue},
    {ROW(CKA_WRAP), Bool, kAes, Notes(8, 9), kTrue},
    {ROW(CKA_WRAP), Bool, kGeneric, Notes(8, 9), kFalse},
    {ROW(CKA_UNWRAP), Bool, kAes, Notes(8, 9), kTrue},
    {ROW(CKA_UNWRAP), Bool, kGeneric, Notes(8, 9), kFalse},
    {ROW(CKA_EXTRACTABLE), Bool, kSecret, Notes(8, 9, 12), kFalse},
    {ROW(CKA_CHECK_VALUE), Bytes, kSecret, 0, kAbsent},
    {ROW(CKA_VALUE), Bytes, kSecret, Notes(1, 4, 6, 7), kAbsent},
    {ROW(CKA_VALUE_LEN), Ulong, kSecret, Notes(2, 3), kAbsent},
    // Profiles, which nobody makes.
    {ROW(CKA_PROFILE_ID), Ulong, kProfile, Notes(2, 4, 6), kAbsent},
    // Keyscope's own (p11/keyscope.h).
    {ROW(CKA_KEYSCOPE_SCOPE), Ulong, kKey | kCertificate, 0, kAbsent},
    {ROW(CKA_KEYSCOPE_ATTESTATION_KEY), Bool, kPrivate, Notes(2, 6, 14), kFalse},
    {ROW(CKA_KEYSCOPE_ATTESTED_BY), Bytes, kPrivate, Notes(2, 6, 14), kEmpty},
    {ROW(CKA_KEYSCOPE_QUALIFYING_DATA), Bytes, kPrivate, Notes(2, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_CREATION_ONLY), Bool, kPrivate, Notes(2, 6), kFalse},
    {ROW(CKA_KEYSCOPE_PERSISTENT), Bool, kPrivate, Notes(2, 6), kFalse},
    {ROW(CKA_KEYSCOPE_PERSISTENT_HANDLE), Ulong, kPrivate, Notes(2, 4, 6), kAbsent},
    {ROW(CKA_KEYSCOPE_PCR_SELECTION), Bytes, kPrivate, Notes(2, 6), kAbsent},
    {ROW(CKA_KEYSCOPE_PCR_VALUES), Bytes, kPrivate, Notes(2, 4, 6), kAbsent},
    {ROW(CKA_KEYSCOPE_POLICY_DIGEST), Bytes, kPrivate, Notes(2, 4, 6), kAbsent},
    {ROW(CKA_KEYSCOPE_IN_TPM), Bool, kPrivate, Notes(2, 4, 6), kTrue},
    {ROW(CKA_KEYSCOPE_IN_TPM), Bool, kSecret, Notes(2, 4, 6), kFalse},
    {ROW(CKA_KEYSCOPE_TSS2_KEY), Bytes, kPrivate, Notes(4, 6, 7), kAbsent},
    {ROW(CKA_KEYSCOPE_TSS2_AUTH), Bytes, kPrivate, Notes(4, 6, 7), kAbsent},
    {ROW(CKA_KEYSCOPE_TPM_PUBLIC), Bytes, kPrivate | kPublic, Notes(2, 4, 6), kAbsent},
    {ROW(CKA_KEYSCOPE_TPM_NAME), Bytes, kPrivate | kPublic, Notes(2, 4, 6), kAbsent},
    {ROW(CKA_KEYSCOPE_CREATION_DATA), Bytes, kPrivate, Notes(2, 4, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_CREATION_ATTEST), Bytes, kPrivate, Notes(2, 4, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_CREATION_SIGNATURE), Bytes, kPrivate, Notes(2, 4, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_ATTEST), Bytes, kPrivate, Notes(2, 4, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_SIGNATURE), Bytes, kPrivate, Notes(2, 4, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_AK_PUBLIC), Bytes, kPrivate, Notes(2, 4, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_AK_NAME), Bytes, kPrivate, Notes(2, 4, 6), kEmpty},
    {ROW(CKA_KEYSCOPE_ENDORSEMENT), Bool, kPublic | kCertificate, Notes(2, 4, 6), kFalse},
    {ROW(CKA_KEYSCOPE_NV_INDEX), Ulong, kPublic | kCertificate, Notes(2, 4, 6), kAbsent},
};
#undef ROW

using IndexRow = std::pair<CK_ATTRIBUTE_TYPE, const AttributeRule*>;
// By type, then in the order above, and close together: each attribute of each object that is read
// looks here.
constexpr auto kIndex = [] {
  std::array<IndexRow, std::size(kAttributeRules)> index{};
  std::ranges::transform(kAttributeRules, index.begin(),
                         [](const AttributeRule& rule) { return std::pair(rule.type, &rule); });
  std::ranges::sort(index);
  return index;
}();

// A search that names no class asks the first row of a type whether the index has all it looks for.
static_assert(std::ranges::all_of(kAttributeRules, [](const AttributeRule& rule) {
  const auto* first = std::ranges::find(kAttributeRules, rule.type, &AttributeRule::type);
  return !first->Has(kIndexed) || rule.Has(kIndexed);
}));

// No subrange: clang 14 does not compile those of GCC 12's library.
std::span<const IndexRow> RulesOf(CK_ATTRIBUTE_TYPE type) {
  return {std::ranges::lower_bound(kIndex, type, {}, &IndexRow::first),
          std::ranges::upper_bound(kIndex, type, {}, &IndexRow::first)};
}

struct KindRow {
  CK_OBJECT_CLASS object_class;
  CK_KEY_TYPE key_type;
  Kind kind;
};
constexpr KindRow kKinds[] = {
    {CKO_PUBLIC_KEY, CKK_RSA, kRsaPublic},
    {CKO_PUBLIC_KEY, CKK_EC, kEcPublic},
    {CKO_PRIVATE_KEY, CKK_RSA, kRsaPrivate},
    {CKO_PRIVATE_KEY, CKK_EC, kEcPrivate},
    {CKO_SECRET_KEY, CKK_AES, kAes},
    {CKO_SECRET_KEY, CKK_GENERIC_SECRET, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA_1_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA224_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA256_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA384_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA512_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA3_224_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA3_256_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA3_384_HMAC, kGeneric},
    {CKO_SECRET_KEY, CKK_SHA3_512_HMAC, kGeneric},
};

}  // namespace

std::optional<Kind> KindOf(CK_OBJECT_CLASS object_class, CK_KEY_TYPE key_type) {
  if (object_class == CKO_DATA) return kData;
  if (object_class == CKO_CERTIFICATE) return kCertificate;
  if (object_class == CKO_PROFILE) return kProfile;
  for (const KindRow& row : kKinds)
    if (row.object_class == object_class && row.key_type == key_type) return row.kind;
  return std::nullopt;
}

std::span<const AttributeRule> AttributeRules() { return kAttributeRules; }

const AttributeRule* FindRule(CK_ATTRIBUTE_TYPE type) {
  const auto rules = RulesOf(type);
  return rules.empty() ? nullptr : rules.front().second;
}

const AttributeRule* FindRule(CK_ATTRIBUTE_TYPE type, Kind kind) {
  const auto rules = RulesOf(type);
  const auto found =
      std::ranges::find_if(rules, [&](const auto& row) { return (row.second->kinds & kind) != 0; });
  return found == rules.end() ? nullptr : found->second;
}

}  // namespace keyscope::token
