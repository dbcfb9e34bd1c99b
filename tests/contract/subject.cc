#include "tests/contract/subject.h"

#include <stdexcept>

#include "base/ossl.h"

namespace keyscope::test {
namespace {

std::optional<KeyScope> scope_of_keys;

Bytes Digest(tpm::Hash hash, ByteView data) {
  Bytes digest(DigestSize(hash));
  if (EVP_Digest(data.data(), data.size(), digest.data(), nullptr, ossl::Digest(Name(hash)),
                 nullptr) != 1)
    throw std::runtime_error(ossl::TakeError());
  return digest;
}

// The spec of a key that the provider keeps, where it keeps keys; what it kept under the name goes.
tpm::KeySpec Kept(tpm::Backend& backend, std::string_view name, tpm::KeySpec spec) {
  spec.scope = scope_of_keys.value_or(spec.scope);
  spec.name = backend.NewName(AsBytes(name));
  if (!spec.name.empty()) backend.EraseNamed(spec.scope, spec.name);
  return spec;
}

}  // namespace

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
  return SecretBytes(Digest(tpm::Hash::Sha256, AsBytes(name)));
}

void SetScopeOfKeys(std::optional<KeyScope> scope) { scope_of_keys = scope; }

tpm::KeyRef Ready(std::string_view name, tpm::KeyBlob blob) {
  return {Copy(AsBytes(name)), scope_of_keys.value_or(KeyScope::User), std::move(blob),
          AuthOf(name)};
}

tpm::KeyRef NewKey(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                   const tpm::KeySpec& spec) {
  return Ready(name, backend.Create(root, Kept(backend, name, spec), AuthOf(name)));
}

tpm::KeyRef NewAk(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                  const tpm::KeySpec& spec) {
  const auto made = backend.CreateAttested(root, AsBytes(name), Kept(backend, name, spec),
                                           AuthOf(name), nullptr, Bytes(8, 1));
  return Ready(name, made.blob);
}

tpm::KeyRef NewAttested(tpm::Backend& backend, const tpm::Root& root, std::string_view name,
                        const tpm::KeySpec& spec, const tpm::KeyRef& ak) {
  const auto made = backend.CreateAttested(root, AsBytes(name), Kept(backend, name, spec),
                                           AuthOf(name), &ak, Bytes(8, 1));
  return Ready(name, made.blob);
}

Bytes DigestFor(tpm::Hash hash) { return Digest(hash, AsBytes("a message")); }

}  // namespace keyscope::test
