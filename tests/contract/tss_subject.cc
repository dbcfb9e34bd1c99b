#include "tests/contract/tss_subject.h"

namespace keyscope::test {

TssSubject::TssSubject(bool threads)
    : swtpm_(std::make_unique<Swtpm>()),
      proxy_(std::make_unique<TpmProxy>(*swtpm_)),
      backend_(NewBackend(threads)) {}

std::unique_ptr<tpm::Backend> TssSubject::NewBackend(bool threads) const {
  return tpm::MakeBackend({.tcti = proxy_->tcti(), .owner_auth = {}, .threads = threads});
}

void TssTest::TakeASession() {
  Bytes start = {0x80, 0x01, 0, 0, 0, 43, 0, 0, 0x01, 0x76};
  Append(start, Bytes{0x40, 0, 0, 7, 0x40, 0, 0, 7, 0, 16});
  Append(start, Bytes(16, 1));
  Append(start, Bytes{0, 0, 0, 0, 0x10, 0, 0x0b});  // HMAC, no cipher, SHA-256
  proxy.Ask(start);
}

}  // namespace keyscope::test
