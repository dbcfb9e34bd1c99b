// Message-based signing and verification of version 3.0 (sections 5.14 and 5.16).
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;
using token::OpKind;

namespace {

// For one message, or a part of it. No mechanism has parameters for these.
token::MessageSigner& SignerOf(token::Session& session, OpKind kind, CK_ULONG parameter_size) {
  token::MessageSigner& signer = session.Signer(kind);
  if (parameter_size != 0)
    throw Error(Rv{CKR_MECHANISM_PARAM_INVALID}, "the mechanism's messages take no parameter");
  return signer;
}

}  // namespace

CK_RV C_MessageSignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                        CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.BeginMessages(OpKind::Sign, pMechanism, hKey);
  });
}

CK_RV C_SignMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR, CK_ULONG ulParameterLen,
                    CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
                    CK_ULONG_PTR pulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    token::MessageSigner& signer = SignerOf(session, OpKind::Sign, ulParameterLen);
    return signer.Sign(token::Input{pData, ulDataLen}.view(), {pSignature, pulSignatureLen});
  });
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR, CK_ULONG ulParameterLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    SignerOf(session, OpKind::Sign, ulParameterLen).Start();
  });
}

// The last part is the one with a place for the signature's length.
CK_RV C_SignMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR, CK_ULONG ulParameterLen,
                        CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
                        CK_ULONG_PTR pulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) -> CK_RV {
    token::MessageSigner& signer = SignerOf(session, OpKind::Sign, ulParameterLen);
    const ByteView part = token::Input{pData, ulDataLen}.view();
    if (pulSignatureLen != nullptr) return signer.FeedAndSign(part, {pSignature, pulSignatureLen});
    signer.Feed(part);
    return CKR_OK;
  });
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession,
                   [](token::Session& session) { session.EndMessages(OpKind::Sign); });
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                          CK_OBJECT_HANDLE hKey) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.BeginMessages(OpKind::Verify, pMechanism, hKey);
  });
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR, CK_ULONG ulParameterLen,
                      CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
                      CK_ULONG ulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    token::MessageSigner& signer = SignerOf(session, OpKind::Verify, ulParameterLen);
    signer.Verify(token::Input{pData, ulDataLen}.view(),
                  token::Input{pSignature, ulSignatureLen}.view());
  });
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR, CK_ULONG ulParameterLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    SignerOf(session, OpKind::Verify, ulParameterLen).Start();
  });
}

// The last part is the one with a signature.
CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR, CK_ULONG ulParameterLen,
                          CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
                          CK_ULONG ulSignatureLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    token::MessageSigner& signer = SignerOf(session, OpKind::Verify, ulParameterLen);
    const ByteView part = token::Input{pData, ulDataLen}.view();
    const ByteView signature = token::Input{pSignature, ulSignatureLen}.view();
    if (pSignature != nullptr)
      signer.FeedAndVerify(part, signature);
    else
      signer.Feed(part);
  });
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession,
                   [](token::Session& session) { session.EndMessages(OpKind::Verify); });
}
