#include "tpm/ncrypt/status.h"

#include <windows.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "tpm/backend.h"

namespace keyscope::tpm::ncrypt {
namespace {

constexpr int kTries = 6;
constexpr DWORD kFirstPause = 20;  // ms; doubled each time

struct Row {
  uint32_t status;
  const char* name;
  Fault fault;
  const char* advice;
};
// winerror.h; 0x8028.... are the TPM's and TBS's.
constexpr Row kRows[] = {
    {0x80090016, "NTE_BAD_KEYSET", Fault::KeyGone, "; the provider has no such key in this scope"},
    {0x8009000D, "NTE_NO_KEY", Fault::KeyGone, ""},
    {0x80090011, "NTE_NOT_FOUND", Fault::KeyGone, ""},
    {0x80092004, "CRYPT_E_NOT_FOUND", Fault::KeyGone, ""},
    {0x8009000F, "NTE_EXISTS", Fault::Exists, ""},
    {0x80090010, "NTE_PERM", Fault::Denied, "; this account may not do that"},
    {0x80284012, "TBS_E_ACCESS_DENIED", Fault::Denied, "; this account may not do that"},
    {0x80070005, "E_ACCESSDENIED", Fault::Denied, "; this account may not do that"},
    {0x80090029, "NTE_NOT_SUPPORTED", Fault::Unsupported, ""},
    {0x80090009, "NTE_BAD_FLAGS", Fault::Unsupported, ""},
    {0x80090008, "NTE_BAD_ALGID", Fault::Unsupported, ""},
    {0x8009000A, "NTE_BAD_TYPE", Fault::Unsupported, ""},
    {0x80290405, "TPM_E_PCP_NOT_SUPPORTED", Fault::Unsupported, ""},
    {0x80290423, "TPM_E_PCP_UNSUPPORTED_PSS_SALT", Fault::Unsupported, ""},
    {0x80280400, "TPM_E_COMMAND_BLOCKED", Fault::Unsupported, "; Windows blocks the TPM command"},
    {0x80280143, "TPM_20_E_COMMAND_CODE", Fault::Unsupported, ""},
    {0x80280083, "TPM_20_E_HASH", Fault::Unsupported, ""},
    {0x80090005, "NTE_BAD_DATA", Fault::BadInput, ""},
    {0x80090004, "NTE_BAD_LEN", Fault::BadInput, ""},
    {0x80090027, "NTE_INVALID_PARAMETER", Fault::BadInput, ""},
    {0x80090028, "NTE_BUFFER_TOO_SMALL", Fault::Io, ""},
    {0x80290406, "TPM_E_PCP_BUFFER_TOO_SMALL", Fault::Io, ""},
    {0x80280084, "TPM_20_E_VALUE", Fault::BadInput, ""},
    {0x80280095, "TPM_20_E_SIZE", Fault::BadInput, ""},
    {0x802800A7, "TPM_20_E_ECC_POINT", Fault::BadInput, ""},
    {0x8028009F, "TPM_20_E_INTEGRITY", Fault::Corrupt, ""},
    {0x80290408, "TPM_E_PCP_AUTHENTICATION_FAILED", Fault::AuthFailed, ""},
    {0x80290409, "TPM_E_PCP_AUTHENTICATION_IGNORED", Fault::AuthFailed, ""},
    {0x80280001, "TPM_E_AUTHFAIL", Fault::AuthFailed, ""},
    {0x8028008E, "TPM_20_E_AUTH_FAIL", Fault::AuthFailed, ""},
    {0x802800A2, "TPM_20_E_BAD_AUTH", Fault::AuthFailed, ""},
    {0x80280803, "TPM_E_DEFEND_LOCK_RUNNING", Fault::LockedOut, "; wait, or clear the lockout"},
    {0x80280921, "TPM_20_E_LOCKOUT", Fault::LockedOut, "; wait, or clear the lockout"},
    {0x80280800, "TPM_E_RETRY", Fault::Busy, ""},
    {0x80280922, "TPM_20_E_RETRY", Fault::Busy, ""},
    {0x80280908, "TPM_20_E_YIELDED", Fault::Busy, ""},
    {0x8028090A, "TPM_20_E_TESTING", Fault::Busy, ""},
    {0x8028400B, "TBS_E_SERVICE_START_PENDING", Fault::Busy, ""},
    {0x80284008, "TBS_E_SERVICE_NOT_RUNNING", Fault::DeviceGone, "; start the service TBS"},
    {0x8028400F, "TBS_E_TPM_NOT_FOUND", Fault::DeviceGone, "; turn the TPM on in the firmware"},
    {0x80284002, "TBS_E_INVALID_CONTEXT", Fault::DeviceGone, ""},
    {0x80290401, "TPM_E_PCP_DEVICE_NOT_READY", Fault::DeviceGone, "; see tpm.msc"},
    {0x80090030, "NTE_DEVICE_NOT_READY", Fault::DeviceGone, "; see tpm.msc"},
    {0x80090026, "NTE_INVALID_HANDLE", Fault::DeviceGone, ""},
    {0x8009000E, "NTE_NO_MEMORY", Fault::NoSpace, ""},
    {0x80090023, "NTE_TOKEN_KEYSET_STORAGE_FULL", Fault::NoSpace, ""},
};

const Row* RowOf(uint32_t status) {
  const Row* row = std::ranges::find(kRows, status, &Row::status);
  return row != std::end(kRows) ? row : nullptr;
}

constexpr uint32_t kNtePerm = 0x80090010;

}  // namespace

uint32_t StatusOfRc(uint32_t rc) {
  if (rc >= 0x80000000) return rc;  // TBS has made it one already
  constexpr uint32_t kTpm = 0x80280000, kFormat1 = 0x080;
  return kTpm | ((rc & kFormat1) != 0 ? rc & 0x0BF : rc & 0xFFF);
}

Fault FaultOf(uint32_t status, Doing doing) {
  if (doing == Doing::Use && status == kNtePerm) return Fault::AuthFailed;
  const Row* row = RowOf(status);
  return row != nullptr ? row->fault : Fault::Internal;
}

void Throw(uint32_t status, const char* what, Doing doing) {
  char code[16];
  std::snprintf(code, sizeof code, "0x%08x", static_cast<unsigned>(status));
  const Row* row = RowOf(status);
  const Fault fault = FaultOf(status, doing);
  std::string text =
      std::string(what) + ": " + (row != nullptr ? row->name : "status") + " (" + code + ")";
  if (row != nullptr && fault == row->fault) text += row->advice;
  throw Error(fault, std::move(text), status);
}

void Try(const char* what, Doing doing, const std::function<uint32_t()>& call) {
  DWORD pause = kFirstPause;
  for (int tries = 1;; ++tries, pause *= 2) {
    const uint32_t status = call();
    if (status == 0) return;
    if (FaultOf(status, doing) != Fault::Busy || tries == kTries) Throw(status, what, doing);
    Sleep(pause);
  }
}

}  // namespace keyscope::tpm::ncrypt

const char* keyscope::tpm::LockoutCommand() { return "powershell Unblock-Tpm"; }
