#include <windows.h>

#include "store/system_fault.h"

namespace keyscope::store {
namespace {

constexpr int kDiskQuotaExceeded = 1295;  // ERROR_DISK_QUOTA_EXCEEDED, which MinGW-w64 lacks

}  // namespace

Fault FaultOfSystem(int code) {
  switch (code) {
    case ERROR_ACCESS_DENIED:
    case ERROR_INVALID_OWNER:
    case ERROR_PRIVILEGE_NOT_HELD:
    case ERROR_CANT_ACCESS_FILE:
    case ERROR_DIRECTORY:
      return Fault::Denied;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
      return Fault::Busy;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case kDiskQuotaExceeded:
      return Fault::NoSpace;
    case ERROR_WRITE_PROTECT:
      return Fault::ReadOnly;
    case ERROR_CRC:
    case ERROR_IO_DEVICE:
    case ERROR_GEN_FAILURE:
      return Fault::Io;
    default:
      return Fault::Internal;
  }
}

}  // namespace keyscope::store
