// What only tss/ knows of the TPM.
#include "base/error.h"
#include "cli/direct.h"
#include "tpm/tss/commands.h"
#include "tpm/tss/device.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/root.h"

namespace keyscope::cli {
namespace {

constexpr uint32_t kStorageRootHandle = 0x81000001;

}  // namespace

void Direct::Reach() {
  backend_->Release({});
  tpm::tss::Connection connection(config_.tcti);
  connection.Open();
}

std::optional<Bytes> Direct::StorageRootName() {
  tpm::tss::Device device(BackendOptionsOf(config_));
  return device.Operate([&]() -> std::optional<Bytes> {
    const auto area = tpm::tss::ReadPublic(device.channel(), kStorageRootHandle);
    return area ? std::optional(tpm::tss::NameOf(*area)) : std::nullopt;
  });
}

bool Direct::StillMakes(const store::TokenRow& token) {
  tpm::tss::Device device(BackendOptionsOf(config_));
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

}  // namespace keyscope::cli
