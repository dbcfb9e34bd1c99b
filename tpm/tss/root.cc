#include "tpm/tss/root.h"

#include "base/log.h"
#include "tpm/tss/hierarchy.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

// Where the TCG puts the storage root (TCG TPM v2.0 Provisioning Guidance, section 7.8).
constexpr TPM2_HANDLE kSrkHandle = 0x81000001;

StorageKey MakePrimary(Device& device) {
  return AsHierarchy(device, TPM2_RH_OWNER, [&](const Auth& owner) {
    return CreatePrimary(device.connection(), TPM2_RH_OWNER, owner, StorageRootTemplate());
  });
}

// False when the owner authorization, or the lack of space, forbids it.
bool MakePersistent(Device& device, const Object& primary) {
  try {
    return AsHierarchy(device, TPM2_RH_OWNER, [&](const Auth& owner) {
      EvictControl(device.connection(), owner, primary, kSrkHandle);
      return true;
    });
  } catch (const CommandError& error) {
    if (!FromTpm(error.native())) throw;
    log::Info("the storage root stays transient: ", error.what());
    device.FlushSessions();
    return false;
  }
}

Root RootOf(TPM2_HANDLE handle, const TPMT_PUBLIC& area) {
  return {handle, Marshal(TPM2B_PUBLIC{0, area}), NameOf(area)};
}

}  // namespace

Root EnsureRoot(Device& device) {
  const auto present = ReadPublic(device.connection(), kSrkHandle);
  if (present && IsStorageRoot(*present)) return RootOf(kSrkHandle, *present);
  const StorageKey primary = MakePrimary(device);
  Root root = RootOf(0, primary.area);
  if (!present && MakePersistent(device, primary.object)) root.handle = kSrkHandle;
  device.Flush(primary.object.handle);
  return root;
}

StorageKey Parent(Device& device, const Root& root) {
  const TPMT_PUBLIC area = UnmarshalPublic(root.public_area).publicArea;
  const bool persistent = root.handle >> TPM2_HR_SHIFT == TPM2_HT_PERSISTENT;
  if (!IsStorageRoot(area) || (root.handle != 0 && !persistent))
    throw Error(Fault::Corrupt, "the stored storage root is not one");
  const Bytes name = NameOf(area);
  if (persistent) return {{root.handle, name}, area};

  const Object& primary = device.Loaded(name, KeyCache::Place::First, [&] {
    const StorageKey made = MakePrimary(device);
    if (made.object.name != name) {
      device.Flush(made.object.handle);
      throw Error(Fault::KeyGone,
                  std::string("the TPM makes another storage root") + kAdviceCleared);
    }
    return made.object;
  });
  return {primary, area};
}

Object Ready(Device& device, const Root& root, const KeyRef& key) {
  return device.Loaded(key.uid, KeyCache::Place::First, [&] {
    Connection& connection = device.connection();
    if (key.persistent == 0) return Load(connection, Parent(device, root).object.handle, key.blob);
    Object object{key.persistent, NameOf(UnmarshalPublic(key.blob.public_area).publicArea)};
    if (!IsNamed(ReadPublic(connection, object.handle), object.name))
      throw Error(Fault::KeyGone,
                  std::string("the key is not at its persistent handle") + kAdviceCleared);
    return object;
  });
}

}  // namespace keyscope::tpm::tss
