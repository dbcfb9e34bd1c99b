// Session management (section 5.6) and the legacy functions for parallel ones (section 5.20).
#include "p11/args.h"
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;

CK_RV C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR, CK_NOTIFY,
                    CK_SESSION_HANDLE_PTR phSession) {
  return Guard(__func__, [&](Call& call) {
    CK_SESSION_HANDLE& result = Required(phSession);
    token::Token& token = call.Token(slotID);
    if ((flags & CKF_SERIAL_SESSION) == 0)
      throw Error(Rv{CKR_SESSION_PARALLEL_NOT_SUPPORTED}, "CKF_SERIAL_SESSION is not set");
    result = call.module->sessions().Add(slotID, [&](CK_SESSION_HANDLE handle) {
      return std::make_shared<token::Session>(token, handle, flags);
    });
  });
}

CK_RV C_CloseSession(CK_SESSION_HANDLE hSession) {
  return Guard(__func__, [&](Call& call) { call.TakeSession(hSession)->Close(); });
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slotID) {
  return Guard(__func__, [&](Call& call) {
    call.Token(slotID);
    for (const auto& session : call.module->sessions().TakeSlot(slotID)) session->Close();
  });
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE hSession, CK_SESSION_INFO_PTR pInfo) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_SESSION_INFO& info = Required(pInfo);
    info = session.Info();
  });
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE hSession, CK_FLAGS flags) {
  return InSession(__func__, hSession, [&](token::Session& session) { session.Cancel(flags); });
}

// An operation's state is in the TPM or bound to its key: there is nothing to save.
CK_RV C_GetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR, CK_ULONG_PTR pulStateLen) {
  return InSession(__func__, hSession, [&](token::Session&) {
    Required(pulStateLen);
    return CKR_STATE_UNSAVEABLE;
  });
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pState, CK_ULONG,
                          CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
  return InSession(__func__, hSession, [&](token::Session&) {
    Required(pState);
    return CKR_SAVED_STATE_INVALID;
  });
}

CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin,
              CK_ULONG ulPinLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.Login(userType, {pPin, ulPinLen});
  });
}

// A token has one SO and one user, and neither has a name.
CK_RV C_LoginUser(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin,
                  CK_ULONG ulPinLen, CK_UTF8CHAR_PTR, CK_ULONG ulUsernameLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    if (ulUsernameLen != 0)
      throw Error(Rv{CKR_ARGUMENTS_BAD}, "the token has no user names; leave it empty");
    session.Login(userType, {pPin, ulPinLen});
  });
}

CK_RV C_Logout(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession, [&](token::Session& session) { session.Logout(); });
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession, [](token::Session&) { return CKR_FUNCTION_NOT_PARALLEL; });
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession, [](token::Session&) { return CKR_FUNCTION_NOT_PARALLEL; });
}
