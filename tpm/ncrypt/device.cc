#include "tpm/ncrypt/device.h"

#include <algorithm>

#include "tpm/ncrypt/blob.h"
#include "tpm/ncrypt/structures.h"
#include "tpm/ncrypt/tpm_commands.h"

namespace keyscope::tpm::ncrypt {
namespace {

constexpr size_t kMostOpen = 64;
constexpr uint32_t kStorageRoot = 0x81000001;

bool Same(const KeyRef& a, const KeyRef& b) {
  return a.uid == b.uid && a.scope == b.scope && a.blob.private_area == b.blob.private_area &&
         a.blob.public_area == b.blob.public_area &&
         ConstantTimeEqual(a.auth.view(), b.auth.view());
}

KeyRef CloneOf(const KeyRef& key) {
  return {key.uid, key.scope, key.blob, key.auth.Clone(), key.persistent};
}

}  // namespace

Root CurrentRoot(const Provider& provider) {
  Root root{kStorageRoot, ReadPublic(provider, kStorageRoot), {}};
  root.name = NameOf(TpmtOf(root.public_area));
  return root;
}

const Provider& Device::Open() {
  if (provider_ == nullptr) provider_ = std::make_unique<Provider>();
  return *provider_;
}

void Device::Drop() {
  open_.clear();
  provider_.reset();
}

Handle Device::OpenFor(const Root& root, const KeyRef& key) try {
  ParsePublic(TpmtOf(key.blob.public_area));
  const PrivateHalf half = ParsePrivate(key.blob);
  Handle handle = half.name.empty() ? provider_->Import(kOpaqueBlob, half.opaque)
                                    : provider_->Open(half.name, key.scope);
  if (PublicInOpaque(Export(handle.get(), kOpaqueBlob)) != key.blob.public_area)
    throw Error(Fault::Corrupt, "the provider has another key in the place of key " + Hex(key.uid));
  SetUsageAuth(handle.get(), key.auth);
  return handle;
} catch (const Error& error) {
  const bool unknown = error.Is(Fault::KeyGone) || error.Is(Fault::Corrupt) ||
                       error.Is(Fault::BadInput) || error.Is(Fault::Internal);
  if (!unknown || root.name.empty() || CurrentRoot(*provider_).name == root.name) throw;
  throw Error(
      Fault::KeyGone,
      std::string(error.what()) + "; the TPM was cleared or exchanged: initialize the token anew",
      error.native());
}

NCRYPT_KEY_HANDLE Device::Ready(const Root& root, const KeyRef& key) {
  const auto found =
      std::ranges::find_if(open_, [&](const OpenKey& one) { return Same(one.key, key); });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return open_.front().handle.get();
  }
  Keep(key, OpenFor(root, key));
  return open_.front().handle.get();
}

void Device::Keep(const KeyRef& key, Handle handle) {
  Close(key.uid);
  if (open_.size() >= kMostOpen) open_.pop_back();
  open_.push_front({CloneOf(key), std::move(handle)});
}

void Device::Close(ByteView uid) {
  std::erase_if(open_, [&](const OpenKey& one) { return uid.empty() || Equal(one.key.uid, uid); });
}

void Device::Release(ByteView uid) noexcept {
  std::lock_guard lock(mutex_);
  Close(uid);
  if (uid.empty()) provider_.reset();
}

}  // namespace keyscope::tpm::ncrypt
