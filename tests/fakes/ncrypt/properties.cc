#include "tests/fakes/ncrypt/properties.h"

#include <cstring>

namespace keyscope::ncrypt_double {
namespace {

template <typename T>
Bytes AsBytes(const T& value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

uint32_t AsNumber(const Bytes& value) {
  Require(value.size() == 4, kInvalidParameter);
  uint32_t number = 0;
  std::memcpy(&number, value.data(), 4);
  return number;
}

void SetLength(Key& key, const Bytes& value) {
  key.bits = AsNumber(value);
  Require(key.rsa() && (key.bits == 1024 || key.bits == 2048), kNotSupported);
}

void SetUsage(Key& key, const Bytes& value) {
  key.usage = AsNumber(value);
  Require(key.usage <= NCRYPT_PCP_IDENTITY_KEY, kInvalidParameter);
}

void SetAuth(Key& key, const Bytes& value) {
  Require(value.size() <= 32, kInvalidParameter);
  (key.finalized ? key.presented : key.auth) = value;
}

void SetNonce(Key& key, const Bytes& value) { key.id_nonce = value; }
void SetScheme(Key& key, const Bytes& value) {
  Require(key.rsa() && AsNumber(value) == 0x0014, kNotSupported);
}
void SetSchemeHash(Key& key, const Bytes& value) {
  key.scheme_hash = AsNumber(value);
  Require(key.scheme_hash == 0x0004 || key.scheme_hash == 0x000B, kNotSupported);
}

void SetActivation(Key& key, const Bytes& value) {
  Require(key.identity(), kNotSupported);
  CheckAuth(key.auth, key.presented, kPcpAuthenticationFailed);
  key.activated = Activate(NameOf(key.area), value);
}

struct Setter {
  const wchar_t* name;
  bool before, after;  // NCryptFinalizeKey
  void (*set)(Key& key, const Bytes& value);
};
constexpr Setter kSetters[] = {
    {L"Length", true, false, SetLength},
    {L"PCP_KEY_USAGE_POLICY", true, false, SetUsage},
    {L"PCP_USAGEAUTH", true, true, SetAuth},
    {L"PCP_TPM12_IDBINDING", true, false, SetNonce},
    {L"PCP_RSA_SCHEME", true, false, SetScheme},
    {L"PCP_RSA_SCHEME_HASH_ALG", true, false, SetSchemeHash},
    {L"PCP_TPM12_IDACTIVATION", false, true, SetActivation},
};

}  // namespace

Bytes GetProviderProperty(NCRYPT_HANDLE provider, const std::wstring& name) {
  if (name == L"PCP_PLATFORMHANDLE") return AsBytes(provider);  // the TBS context
  const bool rsa = name == L"PCP_RSA_EKPUB" || name == L"PCP_EKPUB";
  if (rsa || name == L"PCP_ECC_EKPUB") return PublicBlob(*EndorsementKey(rsa));
  throw Failure{kNotFound};  // certificates: this TPM has none
}

Bytes GetKeyProperty(const Key& key, const std::wstring& name) {
  if (name == L"Length") return AsBytes(key.bits);
  if (name == L"Lengths") return AsBytes(NCRYPT_SUPPORTED_LENGTHS{1024, 2048, 1024, 2048});
  Require(key.finalized, kInvalidHandle);
  if (name == L"PCP_PLATFORMHANDLE") return AsBytes(key.tpm_handle);
  if (name == L"PCP_TPM12_IDBINDING" && !key.id_binding.empty()) return key.id_binding;
  if (name == L"PCP_TPM12_IDACTIVATION" && !key.activated.empty()) return key.activated;
  throw Failure{kNotSupported};
}

void SetKeyProperty(Key& key, const std::wstring& name, const Bytes& value) {
  for (const Setter& setter : kSetters) {
    if (name != setter.name) continue;
    Require(key.finalized ? setter.after : setter.before, kNotSupported);
    return setter.set(key, value);
  }
  throw Failure{kNotSupported};
}

}  // namespace keyscope::ncrypt_double
