#include "tests/contract/tss_subject.h"

namespace keyscope::test {

TssSubject::TssSubject(bool threads)
    : swtpm_(std::make_unique<Swtpm>()),
      proxy_(std::make_unique<TpmProxy>(*swtpm_)),
      backend_(NewBackend(threads)) {}

std::unique_ptr<tpm::Backend> TssSubject::NewBackend(bool threads) const {
  return tpm::MakeBackend({.tcti = proxy_->tcti(), .owner_auth = {}, .threads = threads});
}

}  // namespace keyscope::test
