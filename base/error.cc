#include "base/error.h"

namespace keyscope {

std::string_view Name(Fault fault) {
  switch (fault) {
    case Fault::AuthFailed:
      return "authorization failed";
    case Fault::LockedOut:
      return "locked out";
    case Fault::KeyGone:
      return "key gone";
    case Fault::Busy:
      return "busy";
    case Fault::NoSpace:
      return "no space";
    case Fault::Corrupt:
      return "corrupt";
    case Fault::TooNew:
      return "too new";
    case Fault::Io:
      return "input/output error";
    case Fault::Unsupported:
      return "unsupported";
    case Fault::BadInput:
      return "bad input";
    case Fault::DeviceGone:
      return "device gone";
    case Fault::ReadOnly:
      return "read-only";
    case Fault::Exists:
      return "exists";
    case Fault::Denied:
      return "denied";
    case Fault::PolicyMismatch:
      return "policy mismatch";
    case Fault::Internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace keyscope
