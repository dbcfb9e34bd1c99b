// Object: one PKCS#11 object in memory, and its two ways from and to a store row.
#pragma once

#include <memory>
#include <optional>

#include "store/object_store.h"
#include "token/attribute_rules.h"
#include "token/attribute_set.h"
#include "token/crypto/public_key.h"
#include "token/vault.h"
#include "tpm/types.h"

namespace keyscope::token {

inline constexpr size_t kUidSize = 16;

struct Object {
  int64_t row = 0;  // the store's id; 0 for a session object
  Bytes uid;        // 16 random bytes; CKA_UNIQUE_ID is its hex form
  Kind kind = kData;
  AttributeSet attributes;
  // The TPM half of a private key: as stored for a token object, ready for use for a session
  // object.
  std::optional<store::KeyMaterialRow> material;
  std::shared_ptr<const tpm::KeyRef> session_key;
  // A public key ready for use, where it is worth keeping.
  std::shared_ptr<const crypto::SoftwareKey> software_key;
  // A new one: the login's generation when its making began. Private session objects end with it.
  uint64_t login = 0;

  bool is_private() const { return attributes.Bool(CKA_PRIVATE); }
  // A private key as the TPM handed it out; nullopt for other objects.
  std::optional<tpm::KeyBlob> blob() const;
};

// A new object's identity: draws the uid and sets CKA_UNIQUE_ID and, unless it is there,
// CKA_KEYSCOPE_SCOPE.
void GiveIdentity(Object& object, KeyScope scope);

// `vault` may be nullptr for an object that is not private.
store::ObjectRow ToRow(const Object& object, KeyScope scope, const Vault* vault);
// Throws Fault::Corrupt for a row that does not decode. A private row needs the vault.
Object FromRow(const store::ObjectRow& row, const Vault* vault);

// Whether all these attributes are the object's (section 5.7.6).
bool Matches(const Object& object, const AttributeSet& wanted);

// Whether an object with this value is found through the index. An attribute that is empty or false
// is not in it: old rows do not have it at all.
bool IsIndexed(const AttributeRule& rule, ByteView value);
// The index tags of a value: the public one, and with a vault the blind one.
std::vector<store::IndexEntry> SearchTags(CK_ATTRIBUTE_TYPE type, ByteView value,
                                          const Vault* vault);

}  // namespace keyscope::token
