#include "token/object.h"

#include "base/error.h"
#include "base/ossl.h"
#include "p11/keyscope.h"
#include "token/crypto/hash.h"
#include "token/template.h"

namespace keyscope::token {
namespace {

constexpr size_t kLongestPlainTag = 32;

// Short values are their own tag, so that the store can be read; long ones are hashed.
store::IndexEntry PublicTag(CK_ATTRIBUTE_TYPE type, ByteView value) {
  const auto number = static_cast<int64_t>(type);
  if (value.size() < kLongestPlainTag) return {number, Copy(value)};
  return {number, crypto::Digest(tpm::Hash::Sha256, value)};
}

store::IndexEntry BlindTag(CK_ATTRIBUTE_TYPE type, ByteView value, const Vault& vault) {
  return {static_cast<int64_t>(type), vault.BlindTag(type, value)};
}

// SQLite does not notice when the content of a page changes, so public bodies end in the beginning
// of their SHA-256. It has the form of an attribute: bodies of older builds have none.
constexpr uint8_t kCheckHead[] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 8};
constexpr size_t kCheckSize = sizeof kCheckHead + 8;

Bytes CheckOf(ByteView body) {
  Bytes digest = crypto::Digest(tpm::Hash::Sha256, body);
  digest.resize(kCheckSize - sizeof kCheckHead);
  return Concat({kCheckHead, digest});
}

// Without its check, which must be right when there is one.
ByteView Checked(ByteView body, ByteView uid) {
  if (body.size() < kCheckSize) return body;
  const ByteView rest = body.first(body.size() - kCheckSize), check = body.last(kCheckSize);
  if (!Equal(check.first(sizeof kCheckHead), kCheckHead)) return body;
  if (!Equal(check, CheckOf(rest)))
    throw Error(Fault::Corrupt,
                "object " + Hex(uid) + " is damaged: delete it, or restore the store");
  return rest;
}

// A scope that the object says itself must be that of its row: the object was not made here
// otherwise. Old rows say none.
void CheckScope(AttributeSet& attributes, Kind kind, KeyScope scope) {
  if (FindRule(CKA_KEYSCOPE_SCOPE, kind) == nullptr) return;
  const auto number = static_cast<CK_ULONG>(scope);
  if (!attributes.Has(CKA_KEYSCOPE_SCOPE)) attributes.SetUlong(CKA_KEYSCOPE_SCOPE, number);
  if (IsKey(kind) && attributes.Ulong(CKA_KEYSCOPE_SCOPE) != number)
    throw Error(Fault::Corrupt, "a key of the other scope was copied into the place of a " +
                                    std::string(Name(scope)) + " key; delete it");
}

// A secret key's `auth` is its value, or what authorizes it in the TPM: one must not pass for the
// other.
bool HasItsPlace(const Object& object) {
  if ((object.kind & kSecret) == 0 || !object.material) return true;
  return object.attributes.Bool(CKA_KEYSCOPE_IN_TPM) != object.material->public_area.empty();
}

// Which AK the row names: an AK names itself, so that it is known for one without its secrets.
std::string AkIdOf(const Object& object) {
  const AttributeSet& attributes = object.attributes;
  if (attributes.Bool(CKA_KEYSCOPE_ATTESTATION_KEY)) return Hex(object.uid);
  return AsString(attributes.Get(CKA_KEYSCOPE_ATTESTED_BY));
}

}  // namespace

std::optional<tpm::KeyBlob> Object::blob() const {
  if ((kind & kPrivate) == 0) return std::nullopt;
  if (session_key != nullptr) return session_key->blob;
  if (!material) return std::nullopt;
  return tpm::KeyBlob{material->public_area, material->private_area};
}

void GiveIdentity(Object& object, KeyScope scope) {
  object.uid = ossl::Random(kUidSize);
  object.attributes.Set(CKA_UNIQUE_ID, AsBytes(Hex(object.uid)));
  if (FindRule(CKA_KEYSCOPE_SCOPE, object.kind) != nullptr &&
      !object.attributes.Has(CKA_KEYSCOPE_SCOPE))
    object.attributes.SetUlong(CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(scope));
}

store::ObjectRow ToRow(const Object& object, KeyScope scope, const Vault* vault) {
  store::ObjectRow row;
  row.id = object.row;
  row.uid = object.uid;
  row.scope = scope;
  row.object_class = static_cast<int64_t>(object.attributes.UlongOr(CKA_CLASS));
  row.is_private = object.is_private();
  row.material = object.material;
  row.ak_id = AkIdOf(object);
  const SecretBytes body(Encode(object.attributes));
  row.body = row.is_private ? vault->SealBody(row.uid, scope, body.view())
                            : Concat({body.view(), CheckOf(body.view())});
  for (const auto& [type, value] : object.attributes) {
    const AttributeRule* rule = FindRule(type, object.kind);
    if (rule == nullptr || !IsIndexed(*rule, value)) continue;
    row.index.push_back(row.is_private ? BlindTag(type, value, *vault) : PublicTag(type, value));
  }
  return row;
}

Object FromRow(const store::ObjectRow& row, const Vault* vault) {
  Object object;
  object.row = row.id;
  object.uid = row.uid;
  object.material = row.material;
  if (row.is_private) {
    const SecretBytes body = vault->OpenBody(row.uid, row.scope, row.body);
    object.attributes = Decode(body.view());
  } else {
    object.attributes = Decode(Checked(row.body, row.uid));
  }
  const AttributeSet& attributes = object.attributes;
  auto kind = KindOf(attributes.UlongOr(CKA_CLASS), attributes.UlongOr(CKA_KEY_TYPE));
  if (!kind || attributes.Bool(CKA_PRIVATE) != row.is_private ||
      static_cast<int64_t>(attributes.UlongOr(CKA_CLASS)) != row.object_class)
    throw Error(Fault::Corrupt, "object " + Hex(row.uid) + " contradicts its row; delete it");
  object.kind = *kind;
  CheckScope(object.attributes, *kind, row.scope);
  AddDefaults(object.attributes, *kind);
  if (!HasItsPlace(object))
    throw Error(Fault::Corrupt, "secret key " + Hex(row.uid) +
                                    " is not in the place that it was made in; delete it");
  return object;
}

bool Matches(const Object& object, const AttributeSet& wanted) {
  for (const auto& [type, value] : wanted) {
    const AttributeRule* rule = FindRule(type, object.kind);
    // A sensitive value is not told, and so not compared either.
    if (rule == nullptr || rule->Has(kSensitive) || !object.attributes.Has(type) ||
        !Equal(object.attributes.Get(type), value))
      return false;
  }
  return true;
}

bool IsIndexed(const AttributeRule& rule, ByteView value) {
  const bool is_false = rule.value == ValueKind::Bool && value.size() == 1 && value[0] == CK_FALSE;
  return rule.Has(kIndexed) && !value.empty() && !is_false;
}

std::vector<store::IndexEntry> SearchTags(CK_ATTRIBUTE_TYPE type, ByteView value,
                                          const Vault* vault) {
  std::vector<store::IndexEntry> tags{PublicTag(type, value)};
  if (vault != nullptr) tags.push_back(BlindTag(type, value, *vault));
  return tags;
}

}  // namespace keyscope::token
