#include "tpm/tss/root.h"

#include "base/log.h"
#include "tpm/tss/hierarchy.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

// Where the TCG puts the storage root (TCG TPM v2.0 Provisioning Guidance, section 7.8).
constexpr TPM2_HANDLE kSrkHandle = 0x81000001;

StorageKey MakePrimary(Device& device, const TPMT_PUBLIC& area = StorageRootTemplate()) {
  return AsHierarchy(device, TPM2_RH_OWNER, [&](const Auth& owner) {
    return CreatePrimary(device.channel(), TPM2_RH_OWNER, owner, area);
  });
}

// False when the owner authorization, or the lack of space, forbids it.
bool MakePersistent(Device& device, const Object& primary) {
  try {
    return AsHierarchy(device, TPM2_RH_OWNER, [&](const Auth& owner) {
      EvictControl(device.channel(), owner, primary, kSrkHandle);
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

// What Under has put behind the private area goes from `blob` into its result.
std::optional<Root> TakeRoot(KeyBlob& blob) {
  const ByteView bytes = blob.private_area;
  constexpr size_t kHandle = sizeof(TPM2_HANDLE);
  if (bytes.size() < 2) return std::nullopt;
  const size_t size = 2 + (size_t{bytes[0]} << 8 | bytes[1]);
  if (bytes.size() <= size + kHandle) return std::nullopt;
  Root root;
  for (uint8_t byte : bytes.subspan(size, kHandle)) root.handle = root.handle << 8 | byte;
  root.public_area = Copy(bytes.subspan(size + kHandle));
  blob.private_area.resize(size);
  return root;
}

Object LoadKey(Device& device, const Root& root, KeyBlob blob) {
  const std::optional<Root> own = TakeRoot(blob);
  return Load(device.channel(), Parent(device, own ? *own : root).object.handle, blob);
}

}  // namespace

Root EnsureRoot(Device& device) {
  const auto present = ReadPublic(device.channel(), kSrkHandle);
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
  const bool of_key_files = root.handle == TPM2_RH_OWNER;
  if (!IsStorageRoot(area) || (root.handle != 0 && !persistent && !of_key_files))
    throw Error(Fault::Corrupt, "the stored storage root is not one");
  const Bytes name = NameOf(area);
  if (persistent) return {{root.handle, name}, area};

  const Object& primary = device.Loaded(name, KeyCache::Place::First, [&] {
    const StorageKey made =
        MakePrimary(device, of_key_files ? KeyFileRootTemplate() : StorageRootTemplate());
    if (made.object.name != name) {
      device.Flush(made.object.handle);
      throw Error(Fault::KeyGone,
                  std::string("the TPM makes another storage root") + kAdviceCleared);
    }
    return made.object;
  });
  return {primary, area};
}

Root KeyFileRoot(Device& device) {
  const StorageKey primary = MakePrimary(device, KeyFileRootTemplate());
  device.Forget(primary.object.name);
  device.Loaded(primary.object.name, KeyCache::Place::First, [&] { return primary.object; });
  return RootOf(TPM2_RH_OWNER, primary.area);
}

KeyBlob Under(const Root& parent, const Root& root, KeyBlob blob) {
  if (!Equal(parent.name, root.name))
    blob.private_area = Concat({blob.private_area, BigEndian32(parent.handle), parent.public_area});
  return blob;
}

Object Ready(Device& device, const Root& root, const KeyRef& key) {
  return device.Loaded(key.uid, KeyCache::Place::First, [&] {
    const Channel channel = device.channel();
    if (key.persistent == 0) return LoadKey(device, root, key.blob);
    Object object{key.persistent, NameOf(UnmarshalPublic(key.blob.public_area).publicArea)};
    if (!IsNamed(ReadPublic(channel, object.handle), object.name))
      throw Error(Fault::KeyGone,
                  std::string("the key is not at its persistent handle") + kAdviceCleared);
    return object;
  });
}

bool MayUseHeldSession(const KeyRef& key) {
  const TPMT_PUBLIC area = UnmarshalPublic(key.blob.public_area).publicArea;
  return (area.objectAttributes & TPMA_OBJECT_NODA) != 0;
}

Auth AuthorizeByValue(Device& device, const KeyRef& key) {
  if (MayUseHeldSession(key)) return device.Begin(nullptr, key.auth.view(), Hold::InBurst);
  device.FlushSessions();
  return device.Begin(nullptr, key.auth.view(), Hold::Never);
}

}  // namespace keyscope::tpm::tss
