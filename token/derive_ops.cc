// Key derivation: ECDH in the TPM (mechanisms document, section 2.3.20), HKDF (section 2.63)
// and the counter mode of SP 800-108 in host memory.
#include "token/crypto/cmac.h"
#include "token/crypto/ec.h"
#include "token/crypto/hash.h"
#include "token/crypto/kdf.h"
#include "token/key_use.h"
#include "token/parameters.h"
#include "token/public_of.h"
#include "token/refuse.h"
#include "token/schemes.h"
#include "token/secret_key.h"

namespace keyscope::token {
namespace {

// Without a KDF the result is the end of the shared secret: truncation removes its leading bytes.
SecretBytes Tail(const SecretBytes& shared, size_t size) {
  if (size > shared.size())
    Refuse(CKR_TEMPLATE_INCONSISTENT, "CKA_VALUE_LEN: the shared secret is shorter");
  return SecretBytes(shared.view().last(size));
}

SecretBytes Ecdh(const Materials& materials, std::optional<size_t> wanted) {
  const EcdhParameters ecdh = EcdhOf(materials.mechanism);
  const tpm::Curve curve = CurveOf(*materials.object);
  const auto peer = crypto::DecodePoint(curve, ecdh.peer);
  if (!peer) Refuse(CKR_MECHANISM_PARAM_INVALID, "the peer's point is not on the key's curve");
  const SecretBytes shared = materials.backend.Ecdh(*materials.root, *materials.key, *peer);
  if (ecdh.kdf == tpm::Hash::None) {
    if (!ecdh.shared_info.empty())
      Refuse(CKR_MECHANISM_PARAM_INVALID, "CKD_NULL takes no shared data");
    return Tail(shared, wanted.value_or(shared.size()));
  }
  auto derived = crypto::X963Kdf(ecdh.kdf, shared.view(), ecdh.shared_info,
                                 wanted.value_or(crypto::Info(ecdh.kdf).size()));
  if (!derived) Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: more than the KDF can give");
  return std::move(*derived);
}

SecretBytes Hkdf(const Materials& materials, std::optional<size_t> wanted) {
  const HkdfParameters hkdf = HkdfOf(materials.mechanism);
  const size_t digest = crypto::Info(hkdf.hash).size();
  SecretBytes key = HostValue(*materials.key).Clone();
  if (hkdf.extract && hkdf.salt_key) {
    const auto salt = KeyObject(materials.objects, *hkdf.salt_key, CKR_KEY_HANDLE_INVALID);
    if ((salt->kind & kSecret) == 0)
      Refuse(CKR_KEY_TYPE_INCONSISTENT, "a salt is the value of a secret key");
    CheckUse(*salt, CKA_DERIVE, materials.rule.type);  // it is the key of an HMAC here
    const auto ready = materials.objects.KeyOf(*salt);
    key = crypto::HkdfExtract(hkdf.hash, HostValue(*ready).view(), key.view());
  } else if (hkdf.extract) {
    key = crypto::HkdfExtract(hkdf.hash, hkdf.salt, key.view());
  }
  if (!hkdf.expand) {
    if (wanted.value_or(digest) > digest)
      Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: extracting gives no more than the hash's size");
    return SecretBytes(key.view().first(wanted.value_or(digest)));
  }
  auto derived = crypto::HkdfExpand(hkdf.hash, key.view(), hkdf.info, wanted.value_or(digest));
  if (!derived) Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: more than HKDF can give");
  return std::move(*derived);
}

SecretBytes CounterKdf(const Materials& materials, std::optional<size_t> wanted) {
  if (!wanted) Refuse(CKR_TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN: the KDF has no length of its own");
  const CounterKdfParameters kdf = CounterKdfOf(materials.mechanism, *wanted);
  if ((kdf.hash == tpm::Hash::None) != (materials.object->kind == kAes))
    Refuse(CKR_KEY_TYPE_INCONSISTENT, "AES-CMAC takes an AES key, and HMAC another secret key");
  const crypto::Prf prf = [&]() -> std::unique_ptr<crypto::Authenticator> {
    if (kdf.hash != tpm::Hash::None) return HmacOf(materials, kdf.hash);
    return std::make_unique<crypto::Cmac>(AesOf(materials));
  };
  auto derived = crypto::Derive({.prf = prf,
                                 .before = kdf.before,
                                 .after = kdf.after,
                                 .counter_bytes = kdf.counter_bytes,
                                 .little_endian = kdf.little_endian},
                                *wanted);
  if (!derived)
    Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: zero, or more than the counter can give");
  return std::move(*derived);
}

}  // namespace

constexpr Scheme kEcdhDerive{.derive = Ecdh};
constexpr Scheme kHkdfDerive{.derive = Hkdf};
constexpr Scheme kCounterKdf{.derive = CounterKdf};

}  // namespace keyscope::token
