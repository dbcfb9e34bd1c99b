// What tests of a Backend share: keys, faults, digests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "base/error.h"
#include "tpm/backend.h"

namespace keyscope::test {

// The fault that `action` throws; nullopt when it throws none.
std::optional<Fault> FaultOf(const std::function<void()>& action);

// The scope of the keys that are made from here on, whatever the specs below say; without it,
// theirs.
void SetScopeOfKeys(std::optional<KeyScope> scope);

SecretBytes Secret(std::string_view text);
// 32 bytes, the same for the same name.
SecretBytes AuthOf(std::string_view name);
// A key made by `backend` and ready for use: kept by the provider, where it keeps keys.
tpm::KeyRef NewKey(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                   const tpm::KeySpec& spec);
tpm::KeyRef Ready(std::string_view name, tpm::KeyBlob blob);
// The same for an AK, and for a key that `ak` attests at birth.
tpm::KeyRef NewAk(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                  const tpm::KeySpec& spec);
tpm::KeyRef NewAttested(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                        const tpm::KeySpec& spec, const tpm::KeyRef& ak);
Bytes DigestFor(tpm::Hash hash);

inline const tpm::KeySpec kP256{KeyScope::User, tpm::EcSpec{tpm::Curve::P256}};
inline const tpm::KeySpec kRsa2048{KeyScope::User, tpm::RsaSpec{2048}};
inline const tpm::KeySpec kEcAk{KeyScope::Machine, tpm::EcSpec{tpm::Curve::P256}, true,
                                Copy(AsBytes("keyscope:machine"))};
inline const tpm::KeySpec kRsaAk{KeyScope::Machine, tpm::RsaSpec{2048}, true,
                                 Copy(AsBytes("keyscope:machine"))};

}  // namespace keyscope::test
