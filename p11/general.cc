// General-purpose functions (section 5.4). The function lists are in interfaces.cc.
#include "p11/args.h"
#include "p11/guard.h"
#include "p11/lifecycle.h"

using namespace keyscope;
using namespace keyscope::p11;

namespace {

InitializeArgs Checked(const InitializeArgs* given) {
  if (given == nullptr) return {};
  if (given->pReserved != nullptr) throw Error(Rv{CKR_ARGUMENTS_BAD}, "pReserved is not NULL");
  int callbacks = (given->CreateMutex != nullptr) + (given->DestroyMutex != nullptr) +
                  (given->LockMutex != nullptr) + (given->UnlockMutex != nullptr);
  if (callbacks != 0 && callbacks != 4)
    throw Error(Rv{CKR_ARGUMENTS_BAD}, "some of the mutex callbacks are NULL, but not all");
  return *given;
}

}  // namespace

CK_RV C_Initialize(CK_VOID_PTR pInitArgs) {
  return Unguarded(
      __func__, [&](Call&) { Initialize(Checked(static_cast<const InitializeArgs*>(pInitArgs))); });
}

CK_RV C_Finalize(CK_VOID_PTR pReserved) {
  return Unguarded(__func__, [&](Call&) {
    if (pReserved != nullptr) {
      CurrentModule();  // CKR_CRYPTOKI_NOT_INITIALIZED comes first
      throw Error(Rv{CKR_ARGUMENTS_BAD}, "pReserved is not NULL");
    }
    Finalize();
  });
}

CK_RV C_GetInfo(CK_INFO_PTR pInfo) {
  return Guard(__func__, [&](Call&) {
    CK_INFO& info = Required(pInfo);
    info = {};
    info.cryptokiVersion = {3, 0};
    token::FillBlank(info.manufacturerID, "Keyscope");
    token::FillBlank(info.libraryDescription, "Keyscope TPM 2.0 module");
    info.libraryVersion = {KEYSCOPE_VERSION_MAJOR, KEYSCOPE_VERSION_MINOR};
  });
}
