// The TSS backend with a software TPM of its own.
#pragma once

#include <memory>

#include "tests/contract/subject.h"
#include "tests/support/swtpm.h"
#include "tests/support/tpm_proxy.h"

namespace keyscope::test {

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

  // A session of another process, neither salted nor bound.
  void TakeASession();

  TssSubject subject;
  tpm::Backend& backend = subject.backend();
  TpmProxy& proxy = subject.proxy();
  tpm::Root root = backend.EnsureRoot();
};

}  // namespace keyscope::test
