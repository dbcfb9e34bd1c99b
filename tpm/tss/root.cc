#include "tpm/tss/root.h"

#include "base/log.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

// Where the TCG puts the storage root (TCG TPM v2.0 Provisioning Guidance, section 7.8).
constexpr TPM2_HANDLE kSrkHandle = 0x81000001;

Auth BeginOwner(Device& device) {
  if (device.owner_auth().empty()) return {};
  return device.Begin(nullptr, device.owner_auth().view(), Hold::Never);
}

StorageKey MakePrimary(Device& device) {
  try {
    const Auth owner = BeginOwner(device);
    StorageKey made = CreatePrimary(device.connection(), owner, StorageRootTemplate());
    device.End(owner);
    return made;
  } catch (const CommandError& error) {
    if (!error.Is(Fault::AuthFailed)) throw;
    throw WithFault(error, Fault::Denied,
                    "; the storage hierarchy has an owner authorization: configure it");
  }
}

// False when the owner authorization, or the lack of space, forbids it.
bool MakePersistent(Device& device, const Object& primary) {
  try {
    const Auth owner = BeginOwner(device);
    EvictControl(device.connection(), owner, primary, kSrkHandle);
    device.End(owner);
    return true;
  } catch (const CommandError& error) {
    if (FromTpm(error.native())) {
      log::Info("the storage root stays transient: ", error.what());
      device.FlushSession();
      return false;
    }
    throw;
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

}  // namespace keyscope::tpm::tss
