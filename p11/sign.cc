// Signing and MACing, and their verification (sections 5.13 and 5.15).
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;
using token::OpKind;

CK_RV C_SignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession,
                   [&](token::Session& session) { session.Begin(OpKind::Sign, pMechanism, hKey); });
}

CK_RV C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
             CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Once(OpKind::Sign, {pData, ulDataLen}, {pSignature, pulSignatureLen});
  });
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Feed(OpKind::Sign, {pPart, ulPartLen});
  });
}

CK_RV C_SignFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature,
                  CK_ULONG_PTR pulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Final(OpKind::Sign, {pSignature, pulSignatureLen});
  });
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                        CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Begin(OpKind::SignRecover, pMechanism, hKey);
  });
}

CK_RV C_SignRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                    CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Once(OpKind::SignRecover, {pData, ulDataLen}, {pSignature, pulSignatureLen});
  });
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Begin(OpKind::Verify, pMechanism, hKey);
  });
}

CK_RV C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
               CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.VerifyOnce({pData, ulDataLen}, {pSignature, ulSignatureLen});
  });
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Feed(OpKind::Verify, {pPart, ulPartLen});
  });
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.VerifyFinal({pSignature, ulSignatureLen});
  });
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                          CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Begin(OpKind::VerifyRecover, pMechanism, hKey);
  });
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen,
                      CK_BYTE_PTR pData, CK_ULONG_PTR pulDataLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Once(OpKind::VerifyRecover, {pSignature, ulSignatureLen}, {pData, pulDataLen});
  });
}
