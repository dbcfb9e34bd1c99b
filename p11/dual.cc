// Dual-function cryptographic functions (section 5.17).
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;
using token::OpKind;

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                            CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.FeedAndEncrypt(OpKind::Digest, {pPart, ulPartLen},
                                  {pEncryptedPart, pulEncryptedPartLen});
  });
}

CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
                            CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart,
                            CK_ULONG_PTR pulPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.DecryptAndFeed(OpKind::Digest, {pEncryptedPart, ulEncryptedPartLen},
                                  {pPart, pulPartLen});
  });
}

CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                          CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.FeedAndEncrypt(OpKind::Sign, {pPart, ulPartLen},
                                  {pEncryptedPart, pulEncryptedPartLen});
  });
}

CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
                            CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart,
                            CK_ULONG_PTR pulPartLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.DecryptAndFeed(OpKind::Verify, {pEncryptedPart, ulEncryptedPartLen},
                                  {pPart, pulPartLen});
  });
}
