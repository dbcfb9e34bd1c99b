#include "cli/direct.h"

#include "base/error.h"
#include "tpm/tss/commands.h"
#include "tpm/tss/device.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/root.h"

namespace keyscope::cli {
namespace {

constexpr uint32_t kStorageRootHandle = 0x81000001;

tpm::TssOptions OptionsOf(const p11::Config& config) {
  return {.tcti = config.tcti,
          .owner_auth = config.owner_auth.Clone(),
          .endorsement_auth = config.endorsement_auth.Clone(),
          .threads = false};
}

}  // namespace

Direct::Direct() : config_(p11::LoadConfig()) {
  tpm::SilenceTss();
  backend_ = tpm::MakeTssBackend(OptionsOf(config_));
  for (KeyScope scope : {KeyScope::Machine, KeyScope::User})
    stores_[scope] = std::make_unique<store::ObjectStore>(store_path(scope), scope);
}

std::string Direct::folder(KeyScope scope) const {
  return scope == KeyScope::Machine ? config_.machine_dir : config_.user_dir;
}

std::string Direct::store_path(KeyScope scope) const {
  const std::string in = folder(scope);
  return in.empty() ? "" : in + "/" + std::string(Name(scope)) + ".db";
}

void Direct::Reach() {
  backend_->Release({});
  tpm::tss::Connection connection(config_.tcti);
  connection.Open();
}

std::optional<Bytes> Direct::StorageRootName() {
  tpm::tss::Device device(OptionsOf(config_));
  return device.Operate([&]() -> std::optional<Bytes> {
    const auto area = tpm::tss::ReadPublic(device.connection(), kStorageRootHandle);
    return area ? std::optional(tpm::tss::NameOf(*area)) : std::nullopt;
  });
}

bool Direct::StillMakes(const store::TokenRow& token) {
  tpm::tss::Device device(OptionsOf(config_));
  try {
    return device.Operate([&] {
      tpm::tss::Parent(device, {0, token.root_public, token.root_name});
      return true;
    });
  } catch (const Error& error) {
    if (error.Is(Fault::KeyGone)) return false;
    throw;
  }
}

Direct::Erased Direct::ErasePending(KeyScope scope) {
  Erased erased;
  for (const store::PendingErase& note : store(scope).PendingErases()) {
    if (!store(scope).ClaimPendingErase(note.id)) continue;
    try {
      backend_->Erase(static_cast<uint32_t>(note.handle), note.name);
      store(scope).ClearPendingErase(note.id);
      ++erased.done;
    } catch (const Error& error) {
      erased.failures.push_back("key " + Hex(note.uid) + ": " + error.what());
    }
  }
  return erased;
}

}  // namespace keyscope::cli
