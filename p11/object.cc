// Object management (section 5.7).
#include "p11/args.h"
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;

CK_RV C_CreateObject(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                     CK_OBJECT_HANDLE_PTR phObject) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_OBJECT_HANDLE& result = Required(phObject);
    result = session.CreateObject(Attributes(pTemplate, ulCount));
  });
}

CK_RV C_CopyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate,
                   CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phNewObject) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_OBJECT_HANDLE& result = Required(phNewObject);
    result = session.CopyObject(hObject, Attributes(pTemplate, ulCount));
  });
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject) {
  return InSession(__func__, hSession,
                   [&](token::Session& session) { session.DestroyObject(hObject); });
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ULONG_PTR pulSize) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_ULONG& result = Required(pulSize);
    result = session.ObjectSize(hObject);
  });
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
                          CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    return session.GetAttributes(hObject, Attributes(pTemplate, ulCount));
  });
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
                          CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.SetAttributes(hObject, Attributes(pTemplate, ulCount));
  });
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.FindInit(Attributes(pTemplate, ulCount));
  });
}

CK_RV C_FindObjects(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE_PTR phObject,
                    CK_ULONG ulMaxObjectCount, CK_ULONG_PTR pulObjectCount) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    CK_ULONG& count = Required(pulObjectCount);
    if (ulMaxObjectCount != 0) Required(phObject);
    count = static_cast<CK_ULONG>(session.Find({phObject, ulMaxObjectCount}));
  });
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE hSession) {
  return InSession(__func__, hSession, [&](token::Session& session) { session.FindFinal(); });
}
