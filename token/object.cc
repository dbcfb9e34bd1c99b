#include "token/object.h"

#include "base/error.h"
#include "base/ossl.h"
#include "p11/keyscope.h"
#include "token/crypto/hash.h"
#include "token/template.h"

namespace keyscope::token {
namespace {

constexpr size_t kUidSize = 16;
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

}  // namespace

void GiveIdentity(Object& object, KeyScope scope) {
  object.uid = ossl::Random(kUidSize);
  object.attributes.Set(CKA_UNIQUE_ID, AsBytes(Hex(object.uid)));
  if (FindRule(CKA_KEYSCOPE_SCOPE, object.kind) != nullptr)
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
  const SecretBytes body(Encode(object.attributes));
  row.body = row.is_private ? vault->SealBody(row.uid, scope, body.view()) : Copy(body.view());
  for (const auto& [type, value] : object.attributes) {
    const AttributeRule* rule = FindRule(type, object.kind);
    if (rule == nullptr || !rule->Has(kIndexed) || value.empty()) continue;
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
    object.attributes = Decode(row.body);
  }
  const AttributeSet& attributes = object.attributes;
  auto kind = KindOf(attributes.UlongOr(CKA_CLASS), attributes.UlongOr(CKA_KEY_TYPE));
  if (!kind || attributes.Bool(CKA_PRIVATE) != row.is_private ||
      static_cast<int64_t>(attributes.UlongOr(CKA_CLASS)) != row.object_class)
    throw Error(Fault::Corrupt, "object " + Hex(row.uid) + " contradicts its row; delete it");
  object.kind = *kind;
  AddDefaults(object.attributes, *kind);
  return object;
}

std::vector<store::IndexEntry> SearchTags(CK_ATTRIBUTE_TYPE type, ByteView value,
                                          const Vault* vault) {
  std::vector<store::IndexEntry> tags{PublicTag(type, value)};
  if (vault != nullptr) tags.push_back(BlindTag(type, value, *vault));
  return tags;
}

}  // namespace keyscope::token
