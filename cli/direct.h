// The stores and the TPM without the module, for what PKCS#11 has no words for: rows that nobody
// can log in to, pending erases, the lockout, the storage root. Reads the module's configuration.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "p11/config.h"
#include "store/object_store.h"
#include "tpm/backend.h"

namespace keyscope::cli {

tpm::BackendOptions BackendOptionsOf(const p11::Config& config);

class Direct {
 public:
  // Whether the way to the TPM is one of several, and the TCTI string names it.
#ifdef _WIN32
  static constexpr bool kHasTcti = false;
#else
  static constexpr bool kHasTcti = true;
#endif

  Direct();

  const p11::Config& config() const { return config_; }
  std::string folder(KeyScope scope) const;  // empty: this account has none
  std::string store_path(KeyScope scope) const;
  store::ObjectStore& store(KeyScope scope) { return *stores_.at(scope); }
  tpm::Backend& backend() { return *backend_; }

  // Throws Fault::DeviceGone with the reason when the TPM cannot be reached. Sends no command.
  void Reach();
  // The Name of the key at the storage root's handle; nullopt: the handle is free.
  std::optional<Bytes> StorageRootName();
  // Whether the TPM still makes the storage root of `token` (a primary key, flushed at once).
  bool StillMakes(const store::TokenRow& token);

  // The number erased, and what failed.
  struct Erased {
    size_t done = 0;
    std::vector<std::string> failures;
  };
  // Tries to erase what the scope's store has noted.
  Erased ErasePending(KeyScope scope);

  // The names of keys that the provider has in the scope, and the scope's store neither a row nor a
  // note of: it was lost, or is an old one. Or they are of a store in another place.
  std::vector<Bytes> Orphans(KeyScope scope);
  Erased EraseOrphans(KeyScope scope);

 private:
  p11::Config config_;
  std::map<KeyScope, std::unique_ptr<store::ObjectStore>> stores_;
  std::unique_ptr<tpm::Backend> backend_;
};

}  // namespace keyscope::cli
