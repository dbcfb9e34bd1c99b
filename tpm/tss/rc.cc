#include "tpm/tss/rc.h"

#include <tss2/tss2_rc.h>

#include <array>

#include "tpm/backend.h"

namespace keyscope::tpm::tss {
namespace {

constexpr TPM2_RC kParameter = 0x040;      // format one: the number belongs to a parameter
constexpr TPM2_RC kFormatOneBase = 0x0BF;  // format one without its number

struct Row {
  TPM2_RC base;
  Fault fault;
  const char* advice;
};

constexpr const char* kFull = "; another program holds the TPM's memory: use the resource manager";
constexpr const char* kFailed = "; the TPM needs a restart of the machine";
constexpr const char* kBusy = "; the TPM was busy all the time: try again";

constexpr std::array kRows = {
    Row{TPM2_RC_AUTH_FAIL, Fault::AuthFailed, ""},
    Row{TPM2_RC_BAD_AUTH, Fault::AuthFailed, ""},
    Row{TPM2_RC_LOCKOUT, Fault::LockedOut,
        "; too many wrong PINs on this machine: wait, or clear the lockout"},
    Row{TPM2_RC_INTEGRITY, Fault::KeyGone, kAdviceCleared},
    Row{TPM2_RC_HANDLE, Fault::KeyGone, kAdviceCleared},
    Row{TPM2_RC_HIERARCHY, Fault::Denied, "; the storage hierarchy is disabled in the firmware"},
    Row{TPM2_RC_AUTH_UNAVAILABLE, Fault::Denied, ""},
    Row{TPM2_RC_AUTH_MISSING, Fault::Denied, ""},
    Row{TPM2_RC_AUTH_TYPE, Fault::Denied, ""},
    Row{TPM2_RC_DISABLED, Fault::Denied, ""},
    Row{TPM2_RC_POLICY_FAIL, Fault::Denied, ""},
    Row{TPM2_RC_LOCALITY, Fault::Denied, ""},
    Row{TPM2_RC_NV_AUTHORIZATION, Fault::Denied, ""},
    Row{TPM2_RC_NV_LOCKED, Fault::Denied, ""},
    Row{TPM2_RC_TICKET, Fault::Denied, "; an attestation key signs only what the TPM states"},
    Row{TPM2_RC_RETRY, Fault::Busy, kBusy},
    Row{TPM2_RC_YIELDED, Fault::Busy, kBusy},
    Row{TPM2_RC_TESTING, Fault::Busy, kBusy},
    Row{TPM2_RC_CANCELED, Fault::Busy, kBusy},
    Row{TPM2_RC_NV_RATE, Fault::Busy, kBusy},
    Row{TPM2_RC_NV_UNAVAILABLE, Fault::Busy, kBusy},
    Row{TPM2_RC_PCR_CHANGED, Fault::Busy, "; the PCRs are being extended: try again"},
    Row{TPM2_RC_NV_DEFINED, Fault::Busy,
        "; another object has come to be at this handle: try again with another"},
    Row{TPM2_RC_CONTEXT_GAP, Fault::Busy,
        "; another program keeps a TPM session for too long: end it"},
    Row{TPM2_RC_OBJECT_MEMORY, Fault::NoSpace, kFull},
    Row{TPM2_RC_OBJECT_HANDLES, Fault::NoSpace, kFull},
    Row{TPM2_RC_SESSION_MEMORY, Fault::NoSpace, kFull},
    Row{TPM2_RC_SESSION_HANDLES, Fault::NoSpace, kFull},
    Row{TPM2_RC_MEMORY, Fault::NoSpace, kFull},
    Row{TPM2_RC_TOO_MANY_CONTEXTS, Fault::NoSpace, kFull},
    Row{TPM2_RC_NV_SPACE, Fault::NoSpace, "; remove a persistent object that is not used"},
    Row{TPM2_RC_COMMAND_CODE, Fault::Unsupported, ""},
    Row{TPM2_RC_ASYMMETRIC, Fault::Unsupported, ""},
    Row{TPM2_RC_HASH, Fault::Unsupported, ""},
    Row{TPM2_RC_KEY_SIZE, Fault::Unsupported, ""},
    Row{TPM2_RC_MGF, Fault::Unsupported, ""},
    Row{TPM2_RC_MODE, Fault::Unsupported, ""},
    Row{TPM2_RC_KDF, Fault::Unsupported, ""},
    Row{TPM2_RC_SCHEME, Fault::Unsupported, ""},
    Row{TPM2_RC_SYMMETRIC, Fault::Unsupported, ""},
    Row{TPM2_RC_CURVE, Fault::Unsupported, ""},
    Row{TPM2_RC_VALUE, Fault::BadInput, ""},
    Row{TPM2_RC_SIZE, Fault::BadInput, ""},
    Row{TPM2_RC_RANGE, Fault::BadInput, ""},
    Row{TPM2_RC_TYPE, Fault::BadInput, ""},
    Row{TPM2_RC_KEY, Fault::BadInput, ""},
    Row{TPM2_RC_BINDING, Fault::BadInput, ""},
    Row{TPM2_RC_ECC_POINT, Fault::BadInput, ""},
    Row{TPM2_RC_ATTRIBUTES, Fault::BadInput, ""},
    Row{TPM2_RC_NO_RESULT, Fault::BadInput, ""},
    Row{TPM2_RC_SENSITIVE, Fault::BadInput, ""},
    Row{TPM2_RC_INSUFFICIENT, Fault::BadInput, ""},
    Row{TPM2_RC_TAG, Fault::BadInput, ""},
    Row{TPM2_RC_SELECTOR, Fault::BadInput, ""},
    Row{TPM2_RC_FAILURE, Fault::DeviceGone, kFailed},
    Row{TPM2_RC_REBOOT, Fault::DeviceGone, kFailed},
    Row{TPM2_RC_UPGRADE, Fault::DeviceGone, "; its firmware is being upgraded"},
    Row{TPM2_RC_INITIALIZE, Fault::DeviceGone, "; nobody has sent TPM2_Startup since it was reset"},
};

TSS2_RC LayerOf(TSS2_RC rc) { return rc & TSS2_RC_LAYER_MASK; }

// TPM_RC_REFERENCE_H0..S6: a handle or session that is not loaded.
bool IsReference(TPM2_RC base) {
  return base >= TPM2_RC_REFERENCE_H0 && base <= TPM2_RC_REFERENCE_S6;
}

Row RowOf(TPM2_RC base) {
  if (IsReference(base)) return {base, Fault::KeyGone, kAdviceCleared};
  for (const Row& row : kRows)
    if (row.base == base) return row;
  return {base, Fault::Io, ""};
}

Recovery RecoveryOf(TSS2_RC rc) {
  if (LayerOf(rc) == TSS2_TCTI_RC_LAYER)
    return rc == TSS2_TCTI_RC_MALFORMED_RESPONSE ? Recovery::BadAnswer : Recovery::NoAnswer;
  if (!FromTpm(rc)) return Recovery::BadAnswer;
  const TPM2_RC base = BaseOf(rc);
  if (base == TPM2_RC_OBJECT_MEMORY || base == TPM2_RC_OBJECT_HANDLES) return Recovery::NoRoom;
  if (base == TPM2_RC_SESSION_MEMORY || base == TPM2_RC_SESSION_HANDLES) return Recovery::NoSession;
  const bool of_handle_or_session = (rc & TPM2_RC_FMT1) != 0 && (rc & kParameter) == 0;
  // A policy session is bound to the state of all PCRs, and to be made anew.
  const bool stale = IsReference(base) || base == TPM2_RC_BAD_AUTH || base == TPM2_RC_PCR_CHANGED ||
                     (of_handle_or_session && (base == TPM2_RC_VALUE || base == TPM2_RC_HANDLE));
  return stale ? Recovery::Stale : Recovery::None;
}

}  // namespace

bool FromTpm(TSS2_RC rc) {
  const TSS2_RC layer = LayerOf(rc);
  return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_RC_LAYER ||
         layer == TSS2_RESMGR_TPM_RC_LAYER;
}

TPM2_RC BaseOf(TSS2_RC rc) {
  const TPM2_RC code = rc & ~TSS2_RC_LAYER_MASK;
  return (code & TPM2_RC_FMT1) != 0 ? code & kFormatOneBase : code;
}

bool AsksToRepeat(TSS2_RC rc) {
  if (!FromTpm(rc)) return false;
  switch (BaseOf(rc)) {
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_SESSION_MEMORY:  // others' sessions: ours are given back within a second
    case TPM2_RC_SESSION_HANDLES:
      return true;
    default:
      return false;
  }
}

CommandError MakeError(const char* name, TSS2_RC rc, Where where) {
  const Row row = FromTpm(rc) ? RowOf(BaseOf(rc))
                              : Row{0, Fault::DeviceGone, "; the connection to the TPM broke"};
  return {row.fault, std::string(name) + ": " + Tss2_RC_Decode(rc) + row.advice, rc, RecoveryOf(rc),
          where};
}

CommandError WithFault(const CommandError& error, Fault fault, const char* advice) {
  return {fault, std::string(error.what()) + advice, error.native(), error.recovery(),
          error.where()};
}

}  // namespace keyscope::tpm::tss

const char* keyscope::tpm::LockoutCommand() { return "tpm2_dictionarylockout --clear-lockout"; }
