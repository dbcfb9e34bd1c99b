// Key management (section 5.18).
#include <tuple>

#include "p11/args.h"
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;

CK_RV C_GenerateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                    CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_OBJECT_HANDLE& result = Required(phKey);
    result = session.GenerateKey(Required(pMechanism), Attributes(pTemplate, ulCount));
  });
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                        CK_ATTRIBUTE_PTR pPublicKeyTemplate, CK_ULONG ulPublicKeyAttributeCount,
                        CK_ATTRIBUTE_PTR pPrivateKeyTemplate, CK_ULONG ulPrivateKeyAttributeCount,
                        CK_OBJECT_HANDLE_PTR phPublicKey, CK_OBJECT_HANDLE_PTR phPrivateKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_OBJECT_HANDLE& public_key = Required(phPublicKey);
    CK_OBJECT_HANDLE& private_key = Required(phPrivateKey);
    std::tie(public_key, private_key) = session.GenerateKeyPair(
        Required(pMechanism), Attributes(pPublicKeyTemplate, ulPublicKeyAttributeCount),
        Attributes(pPrivateKeyTemplate, ulPrivateKeyAttributeCount));
  });
}

CK_RV C_WrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                CK_OBJECT_HANDLE hWrappingKey, CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pWrappedKey,
                CK_ULONG_PTR pulWrappedKeyLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.WrapKey(Required(pMechanism), hWrappingKey, hKey,
                           {pWrappedKey, pulWrappedKeyLen});
  });
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                  CK_OBJECT_HANDLE hUnwrappingKey, CK_BYTE_PTR pWrappedKey,
                  CK_ULONG ulWrappedKeyLen, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount,
                  CK_OBJECT_HANDLE_PTR phKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_OBJECT_HANDLE& result = Required(phKey);
    result = session.UnwrapKey(Required(pMechanism), hUnwrappingKey, {pWrappedKey, ulWrappedKeyLen},
                               Attributes(pTemplate, ulAttributeCount));
  });
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                  CK_OBJECT_HANDLE hBaseKey, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount,
                  CK_OBJECT_HANDLE_PTR phKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_OBJECT_HANDLE& result = Required(phKey);
    result =
        session.DeriveKey(Required(pMechanism), hBaseKey, Attributes(pTemplate, ulAttributeCount));
  });
}
