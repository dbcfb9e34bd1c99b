// Elliptic curves (mechanisms document, section 2.3).
#include <algorithm>

#include "token/crypto/der.h"
#include "token/crypto/ec.h"
#include "token/crypto/public_key.h"
#include "token/parameters.h"
#include "token/public_of.h"
#include "token/refuse.h"
#include "token/schemes.h"

namespace keyscope::token {
namespace {

constexpr size_t kLongestDigest = 64;

// The TPM signs digests that have the size of a hash it knows. A digest of any other length is the
// same number with zeros before it, as long as it is not longer than the curve's order (FIPS 186-5,
// section 6.4).
std::pair<tpm::Hash, Bytes> AsTpmDigest(ByteView digest, tpm::Curve curve,
                                        const tpm::Facts& facts) {
  const size_t field = crypto::Info(curve).field_size();
  if (digest.size() > field) digest = digest.first(field);
  tpm::Hash best = tpm::Hash::None;
  size_t best_size = field + 1;
  for (tpm::Hash hash : facts.hashes) {
    const size_t size = crypto::Info(hash).size();
    if (size >= digest.size() && size < best_size) {
      best = hash;
      best_size = size;
    }
  }
  if (best == tpm::Hash::None)
    Refuse(CKR_DATA_LEN_RANGE, "this TPM has no hash of that size for this curve");
  return {best, PadLeft(digest, best_size)};
}

void CheckLength(ByteView digest) {
  if (digest.empty() || digest.size() > kLongestDigest)
    Refuse(CKR_DATA_LEN_RANGE, "ECDSA takes a digest of 1 to 64 bytes");
}

std::unique_ptr<Operation> SignEcdsa(const Materials& materials) {
  NoParameters(materials.mechanism);
  const tpm::Curve curve = CurveOf(*materials.object);
  return std::make_unique<SignOperation>(
      materials.rule.hash, 2 * crypto::Info(curve).field_size(),
      [curve, backend = &materials.backend, root = materials.root, facts = materials.facts,
       key = materials.key](ByteView digest) {
        CheckLength(digest);
        const auto [hash, padded] = AsTpmDigest(digest, curve, *facts);
        return backend->Sign(*root, *key, tpm::SignScheme::Ecdsa, hash, padded);
      });
}

std::unique_ptr<Operation> VerifyEcdsa(const Materials& materials) {
  NoParameters(materials.mechanism);
  auto key = SoftwareKeyOf(*materials.object);
  const size_t half = key->signature_size() / 2;
  // Shorter ones may be verified (section 2.3.1). Java leaves out zeros that both halves begin
  // with: one of P-521's four is a byte shorter in each. Wycheproof counts much shorter ones as
  // wrong.
  return std::make_unique<VerifyOperation>(
      materials.rule.hash, 2 * half,
      [key, half](ByteView digest, ByteView signature) {
        CheckLength(digest);
        const ByteView r = signature.first(signature.size() / 2),
                       s = signature.last(signature.size() / 2);
        return key->VerifyEcdsa(digest, Concat({PadLeft(r, half), PadLeft(s, half)}));
      },
      2);
}

tpm::KeySpec EcPair(const AttributeSet& attributes, const tpm::Facts& facts) {
  const ByteView params = attributes.Get(CKA_EC_PARAMS);
  const auto curve = crypto::CurveFromParams(params);
  if (!curve && !crypto::der::Only(crypto::der::kOid, params) &&
      !crypto::der::Only(crypto::der::kPrintableString, params))
    Refuse(CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_PARAMS is not the name of a curve");
  if (!curve || std::ranges::find(facts.curves, *curve) == facts.curves.end())
    Refuse(CKR_CURVE_NOT_SUPPORTED, "CKA_EC_PARAMS names no curve of this TPM");
  return {KeyScope::User, tpm::EcSpec{*curve}};
}

}  // namespace

constexpr Scheme kEcKeyPair{.generate_pair = EcPair};
constexpr Scheme kEcdsa{.sign = SignEcdsa, .verify = VerifyEcdsa};

}  // namespace keyscope::token
