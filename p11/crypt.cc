// Encryption and decryption (sections 5.8 and 5.11).
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;
using token::OpKind;

CK_RV C_EncryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                    CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Begin(OpKind::Encrypt, pMechanism, hKey);
  });
}

CK_RV C_Encrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                CK_BYTE_PTR pEncryptedData, CK_ULONG_PTR pulEncryptedDataLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Once(OpKind::Encrypt, {pData, ulDataLen}, {pEncryptedData, pulEncryptedDataLen});
  });
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                      CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Update(OpKind::Encrypt, {pPart, ulPartLen},
                          {pEncryptedPart, pulEncryptedPartLen});
  });
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastEncryptedPart,
                     CK_ULONG_PTR pulLastEncryptedPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Final(OpKind::Encrypt, {pLastEncryptedPart, pulLastEncryptedPartLen});
  });
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                    CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Begin(OpKind::Decrypt, pMechanism, hKey);
  });
}

CK_RV C_Decrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedData, CK_ULONG ulEncryptedDataLen,
                CK_BYTE_PTR pData, CK_ULONG_PTR pulDataLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Once(OpKind::Decrypt, {pEncryptedData, ulEncryptedDataLen}, {pData, pulDataLen});
  });
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
                      CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Update(OpKind::Decrypt, {pEncryptedPart, ulEncryptedPartLen},
                          {pPart, pulPartLen});
  });
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastPart,
                     CK_ULONG_PTR pulLastPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.Final(OpKind::Decrypt, {pLastPart, pulLastPartLen});
  });
}
