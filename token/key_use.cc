#include "token/key_use.h"

#include <cstring>

#include "token/refuse.h"

namespace keyscope::token {
namespace {

void CheckAllowed(const Object& object, CK_MECHANISM_TYPE mechanism) {
  if (!object.attributes.Has(CKA_ALLOWED_MECHANISMS)) return;
  ByteView allowed = object.attributes.Get(CKA_ALLOWED_MECHANISMS);
  for (; !allowed.empty(); allowed = allowed.subspan(sizeof mechanism)) {
    CK_MECHANISM_TYPE type;
    std::memcpy(&type, allowed.data(), sizeof type);
    if (type == mechanism) return;
  }
  Refuse(CKR_MECHANISM_INVALID, "CKA_ALLOWED_MECHANISMS of the key does not have the mechanism");
}

}  // namespace

void CheckUse(const Object& key, CK_ATTRIBUTE_TYPE usage, CK_MECHANISM_TYPE mechanism) {
  if (!key.attributes.Bool(usage))
    Refuse(CKR_KEY_FUNCTION_NOT_PERMITTED, "the key's attributes do not permit that use");
  CheckAllowed(key, mechanism);
}

std::shared_ptr<const Object> KeyObject(Objects& objects, CK_OBJECT_HANDLE handle,
                                        CK_RV bad_handle) {
  std::shared_ptr<const Object> object;
  try {
    object = objects.Get(handle);
  } catch (const Error& error) {
    const Rv* rv = std::get_if<Rv>(&error.cause());
    if (rv == nullptr || rv->value != CKR_OBJECT_HANDLE_INVALID) throw;
  }
  if (object == nullptr || !IsKey(object->kind))
    Refuse(bad_handle, "no such key in this slot, or not to be seen now");
  return object;
}

std::shared_ptr<const Object> KeyFor(Token& token, CK_OBJECT_HANDLE handle,
                                     const MechanismRule& rule, const KeyUse& use) {
  auto object = KeyObject(token.objects(), handle, use.bad_handle);
  const Family family = FamilyOf(*object);
  if (!Takes(rule.family, family)) {
    if (family == Family::Attestation)
      Refuse(CKR_KEY_FUNCTION_NOT_PERMITTED,
             "an attestation key signs statements of the TPM only (CKM_KEYSCOPE_*)");
    if (rule.family == Family::Attestation)
      Refuse(CKR_KEY_FUNCTION_NOT_PERMITTED, "the mechanism takes an attestation key");
    Refuse(use.bad_type, "the key is not of the type that the mechanism takes");
  }
  CheckUse(*object, use.usage, rule.type);
  if (use.in_one_call && object->attributes.Bool(CKA_ALWAYS_AUTHENTICATE))
    Refuse(
        CKR_KEY_FUNCTION_NOT_PERMITTED,
        "the key wants a login for each use (CKU_CONTEXT_SPECIFIC), and here is no place for it");
  return object;
}

Materials MaterialsOf(Token& token, const MechanismRule& rule, const CK_MECHANISM& mechanism,
                      const Object* object) {
  Materials materials{rule, mechanism, object, nullptr, token.objects(), token.backend(), {}, {}};
  if (object == nullptr) return materials;
  if ((object->kind & (kPrivate | kSecret)) != 0) {
    materials.key = token.objects().KeyOf(*object);
    materials.root = token.login().root();
  }
  materials.facts = token.facts();
  return materials;
}

}  // namespace keyscope::token
