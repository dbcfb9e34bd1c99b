#include <cerrno>

#include "store/system_fault.h"

namespace keyscope::store {

Fault FaultOfSystem(int code) {
  switch (code) {
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENOTDIR:
      return Fault::Denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Fault::NoSpace;
    case EROFS:
      return Fault::ReadOnly;
    case EIO:
      return Fault::Io;
    default:
      return Fault::Internal;
  }
}

}  // namespace keyscope::store
