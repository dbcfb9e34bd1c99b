#include "token/fault_to_rv.h"

#include <algorithm>

#include "p11/keyscope.h"

namespace keyscope::token {
namespace {

struct Row {
  Fault fault;
  CK_RV rv;
};
constexpr Row kTable[] = {
    {Fault::AuthFailed, CKR_DEVICE_ERROR},  // of a key: store and TPM disagree
    {Fault::LockedOut, CKR_PIN_LOCKED},
    {Fault::KeyGone, CKR_DEVICE_ERROR},
    {Fault::Busy, CKR_FUNCTION_FAILED},  // later it may work
    {Fault::NoSpace, CKR_DEVICE_MEMORY},
    {Fault::Corrupt, CKR_DEVICE_ERROR},
    {Fault::TooNew, CKR_DEVICE_ERROR},
    {Fault::Io, CKR_DEVICE_ERROR},
    {Fault::Unsupported, CKR_MECHANISM_INVALID},
    {Fault::BadInput, CKR_ARGUMENTS_BAD},
    {Fault::DeviceGone, CKR_DEVICE_ERROR},  // not _REMOVED: the sessions live on
    {Fault::ReadOnly, CKR_TOKEN_WRITE_PROTECTED},
    {Fault::Exists, CKR_FUNCTION_FAILED},  // another name may be free
    {Fault::Denied, CKR_DEVICE_ERROR},
    {Fault::PolicyMismatch, CKR_KEYSCOPE_POLICY_MISMATCH},
    {Fault::Internal, CKR_GENERAL_ERROR},
};

}  // namespace

CK_RV ToRv(Fault fault) {
  const Row* row = std::ranges::find(kTable, fault, &Row::fault);
  return row != std::end(kTable) ? row->rv : CKR_GENERAL_ERROR;
}

CK_RV ToRv(const Error& error) {
  if (const Rv* rv = std::get_if<Rv>(&error.cause())) return rv->value;
  return ToRv(std::get<Fault>(error.cause()));
}

}  // namespace keyscope::token
