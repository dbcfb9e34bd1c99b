// The backend's state: the provider, once it is open, and the keys that are open in it.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "tpm/ncrypt/provider.h"

namespace keyscope::tpm::ncrypt {

class Device {
 public:
  // Runs `body(provider)` alone. Where the provider or the TPM has gone, all handles are dropped,
  // so that the next call opens it anew.
  template <typename Body>
  auto Operate(Body body) {
    std::lock_guard lock(mutex_);
    try {
      return body(Open());
    } catch (const Error& error) {
      if (error.Is(Fault::DeviceGone)) Drop();
      throw;
    }
  }

  // These are for the body. A key ready for use, authorized; it stays open for the next time.
  // Fault::KeyGone for a key of another TPM, or that the provider no longer has.
  NCRYPT_KEY_HANDLE Ready(const Root& root, const KeyRef& key);
  // A new key that is open already.
  void Keep(const KeyRef& key, Handle handle);
  // Closes a key; `uid` empty: all of them.
  void Close(ByteView uid);

  void Release(ByteView uid) noexcept;

 private:
  struct OpenKey {
    KeyRef key;
    Handle handle;
  };

  const Provider& Open();  // needs mutex_
  void Drop();
  Handle OpenFor(const Root& root, const KeyRef& key);

  std::mutex mutex_;
  std::unique_ptr<Provider> provider_;
  std::list<OpenKey> open_;  // the latest used first
};

// The storage root as it is now.
Root CurrentRoot(const Provider& provider);

}  // namespace keyscope::tpm::ncrypt
