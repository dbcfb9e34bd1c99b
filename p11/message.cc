// Message-based encryption and decryption of version 3.0 (sections 5.9 and 5.12).
#include "token/message.h"

#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;
using token::OpKind;
using Parameters = token::MessageCipher::Parameters;

namespace {

CK_RV Whole(OpKind kind, token::Session& session, token::Input parameter, token::Input aad,
            token::Input data, token::Output out) {
  return session.Cipher(kind).Whole(Parameters(parameter), aad.view(), data.view(), out);
}

CK_RV Next(OpKind kind, token::Session& session, token::Input parameter, token::Input part,
           token::Output out, CK_FLAGS flags) {
  return session.Cipher(kind).Next(Parameters(parameter), part.view(), out,
                                   (flags & CKF_END_OF_MESSAGE) != 0);
}

}  // namespace

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                           CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.BeginMessages(OpKind::Encrypt, pMechanism, hKey);
  });
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                       CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
                       CK_BYTE_PTR pPlaintext, CK_ULONG ulPlaintextLen, CK_BYTE_PTR pCiphertext,
                       CK_ULONG_PTR pulCiphertextLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return Whole(OpKind::Encrypt, session, {pParameter, ulParameterLen},
                 {pAssociatedData, ulAssociatedDataLen}, {pPlaintext, ulPlaintextLen},
                 {pCiphertext, pulCiphertextLen});
  });
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                            CK_ULONG ulParameterLen, CK_BYTE_PTR pAssociatedData,
                            CK_ULONG ulAssociatedDataLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Cipher(OpKind::Encrypt)
        .Start(Parameters({pParameter, ulParameterLen}),
               token::Input{pAssociatedData, ulAssociatedDataLen}.view());
  });
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                           CK_ULONG ulParameterLen, CK_BYTE_PTR pPlaintextPart,
                           CK_ULONG ulPlaintextPartLen, CK_BYTE_PTR pCiphertextPart,
                           CK_ULONG_PTR pulCiphertextPartLen, CK_FLAGS flags) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return Next(OpKind::Encrypt, session, {pParameter, ulParameterLen},
                {pPlaintextPart, ulPlaintextPartLen}, {pCiphertextPart, pulCiphertextPartLen},
                flags);
  });
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession,
                   [](token::Session& session) { session.EndMessages(OpKind::Encrypt); });
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                           CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.BeginMessages(OpKind::Decrypt, pMechanism, hKey);
  });
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                       CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
                       CK_BYTE_PTR pCiphertext, CK_ULONG ulCiphertextLen, CK_BYTE_PTR pPlaintext,
                       CK_ULONG_PTR pulPlaintextLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return Whole(OpKind::Decrypt, session, {pParameter, ulParameterLen},
                 {pAssociatedData, ulAssociatedDataLen}, {pCiphertext, ulCiphertextLen},
                 {pPlaintext, pulPlaintextLen});
  });
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                            CK_ULONG ulParameterLen, CK_BYTE_PTR pAssociatedData,
                            CK_ULONG ulAssociatedDataLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Cipher(OpKind::Decrypt)
        .Start(Parameters({pParameter, ulParameterLen}),
               token::Input{pAssociatedData, ulAssociatedDataLen}.view());
  });
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                           CK_ULONG ulParameterLen, CK_BYTE_PTR pCiphertextPart,
                           CK_ULONG ulCiphertextPartLen, CK_BYTE_PTR pPlaintextPart,
                           CK_ULONG_PTR pulPlaintextPartLen, CK_FLAGS flags) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return Next(OpKind::Decrypt, session, {pParameter, ulParameterLen},
                {pCiphertextPart, ulCiphertextPartLen}, {pPlaintextPart, pulPlaintextPartLen},
                flags);
  });
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession,
                   [](token::Session& session) { session.EndMessages(OpKind::Decrypt); });
}
