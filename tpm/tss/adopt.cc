#include "tpm/tss/adopt.h"

#include "tpm/tss/algorithms.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/root.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

[[noreturn]] void Refuse(Fault fault, const char* why) { throw Error(fault, why); }

// What comes from the caller may be anything.
TPMT_PUBLIC AreaOf(const KeyBlob& blob) try {
  UnmarshalPrivate(blob.private_area);
  return UnmarshalPublic(blob.public_area).publicArea;
} catch (const Error&) {
  Refuse(Fault::BadInput, "the key's two areas do not decode");
}

// The roots that the key may be under. In a key file TPM_RH_OWNER is a primary of a template that
// has changed over time: with an empty unique (tpm2-openssl, tpm2-tss-engine), or as the TCG has
// it.
std::vector<Root> Candidates(Device& device, const Root& root, TPM2_HANDLE parent) {
  if (parent == TPM2_RH_OWNER) return {KeyFileRoot(device), root};
  if (parent == root.handle) return {root};
  if (parent >> TPM2_HR_SHIFT != TPM2_HT_PERSISTENT)
    Refuse(Fault::Unsupported,
           "the key's parent is neither the owner's primary nor at a persistent handle");
  const auto area = ReadPublic(device.channel(), parent);
  if (!area) Refuse(Fault::BadInput, "nothing is at the persistent handle of the key's parent");
  if (!IsStorageRoot(*area) || (area->objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0)
    Refuse(Fault::Unsupported, "the key's parent is no storage key of a usual kind");
  return {{parent, Marshal(TPM2B_PUBLIC{0, *area}), NameOf(*area)}};
}

// The key's two areas as TPM2_Load takes them.
KeyBlob Loadable(Device& device, const Object& parent, const ForeignKey& key) {
  if (key.import_secret.empty()) return key.blob;
  const TPM2B_PRIVATE imported =
      Import(device.channel(), parent.handle, UnmarshalPublic(key.blob.public_area),
             UnmarshalPrivate(key.blob.private_area), UnmarshalSecret(key.import_secret));
  return {key.blob.public_area, Marshal(imported)};
}

// Whether the TPM's answer says that the key is not under that parent.
bool SaysOtherParent(const CommandError& error) {
  return FromTpm(error.native()) && error.recovery() == Recovery::None &&
         (error.Is(Fault::KeyGone) || error.Is(Fault::BadInput));
}

struct Found {
  StorageKey parent;
  Root root;
  Object object;
};

// Loads the key under the first of the roots that takes it.
Found LoadUnderOne(Device& device, const std::vector<Root>& roots, const ForeignKey& key) {
  for (size_t i = 0;; ++i) {
    try {
      const StorageKey parent = Parent(device, roots[i]);
      const Object object = device.Loaded(AsBytes(kAdopted), KeyCache::Place::Last, [&] {
        return Load(device.channel(), parent.object.handle, Loadable(device, parent.object, key));
      });
      return {parent, roots[i], object};
    } catch (const CommandError& error) {
      if (error.Is(Fault::AuthFailed) && FromTpm(error.native()))
        throw WithFault(error, Fault::Unsupported,
                        "; the key's parent has an authorization of its own");
      if (!SaysOtherParent(error)) throw;
      if (i + 1 == roots.size())
        throw WithFault(error, Fault::BadInput,
                        "; the key was made in another TPM, or under another parent");
    }
  }
}

}  // namespace

KeyBlob Adopt(Device& device, const Root& root, const ForeignKey& key, const SecretBytes& auth) {
  CheckAdoptable(AreaOf(key.blob));
  // Always a new session, before anything is loaded: see Device::Loaded and TssBackend::Unseal.
  device.FlushSessions();
  const std::vector<Root> roots = Candidates(device, root, key.parent);
  const StorageKey salt_to = Parent(device, root);
  const Auth old_auth = device.Begin(&salt_to, key.auth.view(), Hold::Never);
  const Found found = LoadUnderOne(device, roots, key);
  const TPM2B_PRIVATE changed =
      ObjectChangeAuth(device.channel(), found.object, found.parent.object, old_auth, auth);
  device.End(old_auth);
  device.Forget(AsBytes(kAdopted));
  return Under(found.root, root, {key.blob.public_area, Marshal(changed)});
}

}  // namespace keyscope::tpm::tss
