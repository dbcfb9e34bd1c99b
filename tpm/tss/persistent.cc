#include "tpm/tss/persistent.h"

#include <iterator>

#include "tpm/tss/hierarchy.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/root.h"

namespace keyscope::tpm::tss {
namespace {

// Among the owner's handles, above those to which the TCG TPM v2.0 Provisioning Guidance, section
// 7.8, gives a use.
constexpr TPM2_HANDLE kFirst = 0x81008000, kLast = 0x8100FFFF;

void CheckRange(TPM2_HANDLE handle) {
  if (handle < kFirst || handle > kLast)
    throw Error(Fault::BadInput, "not a persistent handle for keys of a token");
}

void EvictAsOwner(Device& device, const Object& object, TPM2_HANDLE handle) {
  AsHierarchy(device, TPM2_RH_OWNER, [&](const Auth& owner) {
    EvictControl(device.channel(), owner, object, handle);
    return true;
  });
}

}  // namespace

uint32_t FreePersistentHandle(Device& device) {
  TPM2_HANDLE free = kFirst;
  for (bool more = true; more && free <= kLast;) {
    TPMS_CAPABILITY_DATA data{};
    more = GetCapability(device.channel(), TPM2_CAP_HANDLES, free, TPM2_MAX_CAP_HANDLES, data);
    const TPML_HANDLE& taken = data.data.handles;  // ascending
    const size_t count = std::min<size_t>(taken.count, std::size(taken.handle));
    for (size_t i = 0; i < count; ++i) {
      if (taken.handle[i] != free) return free;
      ++free;
    }
    if (count == 0) break;
  }
  if (free > kLast)
    throw Error(Fault::NoSpace, "no persistent handle is free: remove a key that is not used");
  return free;
}

void Persist(Device& device, const Root& root, const KeyRef& key, TPM2_HANDLE handle) {
  CheckRange(handle);
  const Object object = Ready(device, root, key);
  try {
    EvictAsOwner(device, object, handle);
  } catch (const CommandError& error) {
    // After an answer that was lost it may be there already.
    if (BaseOf(error.native()) != TPM2_RC_NV_DEFINED ||
        !IsNamed(ReadPublic(device.channel(), handle), object.name))
      throw;
  }
  device.Forget(key.uid);
}

void Erase(Device& device, TPM2_HANDLE handle, ByteView name) {
  CheckRange(handle);
  if (!IsNamed(ReadPublic(device.channel(), handle), name)) return;
  EvictAsOwner(device, {handle, Copy(name)}, handle);
}

}  // namespace keyscope::tpm::tss
