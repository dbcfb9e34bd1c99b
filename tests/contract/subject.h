// What the contract tests run against: each Backend, with a device of its own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>

#include "base/error.h"
#include "tests/support/swtpm.h"
#include "tests/support/tpm_proxy.h"
#include "tpm/backend.h"

namespace keyscope::test {

// The fault that `action` throws; nullopt when it throws none.
std::optional<Fault> FaultOf(const std::function<void()>& action);

SecretBytes Secret(std::string_view text);
// 32 bytes, the same for the same name.
SecretBytes AuthOf(std::string_view name);
// A key made by `backend` and ready for use.
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

// The TSS backend on a software TPM behind a proxy.
class TssSubject {
 public:
  explicit TssSubject(bool threads = true);

  Swtpm& swtpm() { return *swtpm_; }
  TpmProxy& proxy() { return *proxy_; }
  tpm::Backend& backend() { return *backend_; }
  // An orderly end; swtpm().Start() brings the TPM back.
  void StopTpm() {
    proxy_->Disconnect();
    swtpm_->Stop();
  }
  // A second process, as it were.
  std::unique_ptr<tpm::Backend> NewBackend(bool threads = true) const;

 private:
  std::unique_ptr<Swtpm> swtpm_;
  std::unique_ptr<TpmProxy> proxy_;
  std::unique_ptr<tpm::Backend> backend_;
};

// A fixture for what holds of the TSS backend only.
class TssTest : public testing::Test {
 protected:
  Bytes SignWith(const tpm::KeyRef& key) {
    return backend.Sign(root, key, tpm::SignScheme::Ecdsa, tpm::Hash::Sha256,
                        DigestFor(tpm::Hash::Sha256));
  }
  // Commands sent by `action`.
  int Commands(const std::function<void()>& action) {
    subject.proxy().Reset();
    action();
    return subject.proxy().Total();
  }

  TssSubject subject;
  tpm::Backend& backend = subject.backend();
  TpmProxy& proxy = subject.proxy();
  tpm::Root root = backend.EnsureRoot();
};

}  // namespace keyscope::test
