// Key derivation: ECDH in the TPM (mechanisms document, section 2.3.20), HKDF in host memory
// (section 2.63).
#include "token/crypto/ec.h"
#include "token/crypto/hash.h"
#include "token/crypto/kdf.h"
#include "token/parameters.h"
#include "token/public_of.h"
#include "token/schemes.h"

namespace keyscope::token {
namespace {

[[noreturn]] void Refuse(CK_RV rv, const char* why) { throw Error(Rv{rv}, why); }

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
                                 wanted.value_or(crypto::Info(ecdh.kdf).size));
  if (!derived) Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: more than the KDF can give");
  return std::move(*derived);
}

SecretBytes Hkdf(const Materials& materials, std::optional<size_t> wanted) {
  const HkdfParameters hkdf = HkdfOf(materials.mechanism);
  const size_t digest = crypto::Info(hkdf.hash).size;
  SecretBytes key = materials.key->auth.Clone();
  if (hkdf.extract) key = crypto::HkdfExtract(hkdf.hash, hkdf.salt, key.view());
  if (!hkdf.expand) {
    if (wanted.value_or(digest) > digest)
      Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: extracting gives no more than the hash's size");
    return SecretBytes(key.view().first(wanted.value_or(digest)));
  }
  auto derived = crypto::HkdfExpand(hkdf.hash, key.view(), hkdf.info, wanted.value_or(digest));
  if (!derived) Refuse(CKR_KEY_SIZE_RANGE, "CKA_VALUE_LEN: more than HKDF can give");
  return std::move(*derived);
}

}  // namespace

constexpr Scheme kEcdhDerive{.derive = Ecdh};
constexpr Scheme kHkdfDerive{.derive = Hkdf};

}  // namespace keyscope::token
