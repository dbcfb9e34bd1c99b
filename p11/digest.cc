// Message digesting (section 5.10).
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;
using token::OpKind;

CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Begin(OpKind::Digest, pMechanism, CK_INVALID_HANDLE);
  });
}

CK_RV C_Digest(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
               CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Once(OpKind::Digest, {pData, ulDataLen}, {pDigest, pulDigestLen});
  });
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Feed(OpKind::Digest, {pPart, ulPartLen});
  });
}

CK_RV C_DigestKey(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) { session.DigestKey(hKey); });
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Final(OpKind::Digest, {pDigest, pulDigestLen});
  });
}
