// Slot and token management (section 5.5).
#include "p11/args.h"
#include "p11/guard.h"
#include "p11/lifecycle.h"

using namespace keyscope;
using namespace keyscope::p11;

namespace {
constexpr size_t kLabelSize = sizeof(CK_TOKEN_INFO::label);
}

CK_RV C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount) {
  return Guard(__func__, [&](Call& call) {
    std::vector<CK_SLOT_ID> slots;
    for (CK_SLOT_ID slot : kSlots)
      if (tokenPresent == CK_FALSE || call.module->token(slot).Present()) slots.push_back(slot);
    return WriteList(std::span<const CK_SLOT_ID>(slots), pSlotList, pulCount);
  });
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slotID, CK_SLOT_INFO_PTR pInfo) {
  return Guard(__func__, [&](Call& call) {
    CK_SLOT_INFO& info = Required(pInfo);
    info = call.Token(slotID).SlotInfo();
  });
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO_PTR pInfo) {
  return Guard(__func__, [&](Call& call) {
    CK_TOKEN_INFO& info = Required(pInfo);
    info = call.Token(slotID).Info();
  });
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR pSlot, CK_VOID_PTR pReserved) {
  std::shared_future<void> finalized;
  CK_RV rv = Guard(__func__, [&](Call& call) {
    Required(pSlot);
    if (pReserved != nullptr) throw Error(Rv{CKR_ARGUMENTS_BAD}, "pReserved is not NULL");
    if ((flags & CKF_DONT_BLOCK) != 0) return CKR_NO_EVENT;
    finalized = call.module->finalized();
    return CKR_OK;
  });
  if (rv != CKR_OK) return rv;
  // The two slots never change. Nothing of the module is held meanwhile.
  finalized.wait();
  return CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slotID, CK_MECHANISM_TYPE_PTR pMechanismList,
                         CK_ULONG_PTR pulCount) {
  return Guard(__func__, [&](Call& call) {
    Required(pulCount);
    std::vector<CK_MECHANISM_TYPE> types = call.Token(slotID).Mechanisms();
    return WriteList(std::span<const CK_MECHANISM_TYPE>(types), pMechanismList, pulCount);
  });
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR pInfo) {
  return Guard(__func__, [&](Call& call) {
    CK_MECHANISM_INFO& info = Required(pInfo);
    info = call.Token(slotID).MechanismInfo(type);
  });
}

CK_RV C_InitToken(CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen,
                  CK_UTF8CHAR_PTR pLabel) {
  return Guard(__func__, [&](Call& call) {
    ByteView label(&Required(pLabel), kLabelSize);
    token::Token& token = call.Token(slotID);
    if (call.module->sessions().HasSlot(slotID))
      throw Error(Rv{CKR_SESSION_EXISTS}, "close all sessions with the token first");
    token.InitToken({pPin, ulPinLen}, label);
  });
}

CK_RV C_InitPIN(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.InitPin({pPin, ulPinLen});
  });
}

CK_RV C_SetPIN(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pOldPin, CK_ULONG ulOldLen,
               CK_UTF8CHAR_PTR pNewPin, CK_ULONG ulNewLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.SetPin({pOldPin, ulOldLen}, {pNewPin, ulNewLen});
  });
}
