#include "tests/contract/subject.h"

#include "tpm/tss/crypto.h"

namespace keyscope::test {

std::optional<Fault> FaultOf(const std::function<void()>& action) {
  try {
    action();
    return std::nullopt;
  } catch (const Error& error) {
    return std::get<Fault>(error.cause());
  }
}

SecretBytes Secret(std::string_view text) { return SecretBytes(AsBytes(text)); }

SecretBytes AuthOf(std::string_view name) {
  return SecretBytes(tpm::tss::Digest(tpm::Hash::Sha256, {AsBytes(name)}));
}

tpm::KeyRef Ready(std::string_view name, tpm::KeyBlob blob) {
  return {Copy(AsBytes(name)), KeyScope::User, std::move(blob), AuthOf(name)};
}

tpm::KeyRef NewKey(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                   const tpm::KeySpec& spec) {
  return Ready(name, backend.Create(root, spec, AuthOf(name)));
}

tpm::KeyRef NewAk(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                  const tpm::KeySpec& spec) {
  const auto made =
      backend.CreateAttested(root, AsBytes(name), spec, AuthOf(name), nullptr, Bytes(8, 1));
  return Ready(name, made.blob);
}

tpm::KeyRef NewAttested(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                        const tpm::KeySpec& spec, const tpm::KeyRef& ak) {
  const auto made =
      backend.CreateAttested(root, AsBytes(name), spec, AuthOf(name), &ak, Bytes(8, 1));
  return Ready(name, made.blob);
}

Bytes DigestFor(tpm::Hash hash) { return tpm::tss::Digest(hash, {AsBytes("a message")}); }

TssSubject::TssSubject(bool threads)
    : swtpm_(std::make_unique<Swtpm>()),
      proxy_(std::make_unique<TpmProxy>(*swtpm_)),
      backend_(NewBackend(threads)) {}

std::unique_ptr<tpm::Backend> TssSubject::NewBackend(bool threads) const {
  return tpm::MakeBackend({.tcti = proxy_->tcti(), .owner_auth = {}, .threads = threads});
}

}  // namespace keyscope::test
