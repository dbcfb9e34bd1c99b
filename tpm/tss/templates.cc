#include "tpm/tss/templates.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/pcr_policy.h"

namespace keyscope::tpm::tss {
namespace {

constexpr TPMA_OBJECT kMadeHere =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN;
constexpr TPMA_OBJECT kKey =
    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT;
constexpr TPMA_OBJECT kAttestationKey = kMadeHere | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                                        TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
constexpr TPMA_OBJECT kStorage = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
constexpr TPMA_OBJECT kEndorsement = kMadeHere | kStorage | TPMA_OBJECT_ADMINWITHPOLICY;

// PolicyA of the EK Credential Profile, annex B.6: PolicySecret(TPM_RH_ENDORSEMENT).
constexpr uint8_t kPolicyA[] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                                0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                                0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};
// PolicyB: that, or what an NV index of the owner's says.
constexpr uint8_t kPolicyB256[] = {0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34,
                                   0x24, 0x14, 0xef, 0xcf, 0xb3, 0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd,
                                   0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0};
constexpr uint8_t kPolicyB384[] = {
    0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a,
    0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4, 0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca,
    0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12};
constexpr uint8_t kPolicyB512[] = {
    0xb8, 0x22, 0x1c, 0xa6, 0x9e, 0x85, 0x50, 0xa4, 0x91, 0x4d, 0xe3, 0xfa, 0xa6, 0xa1, 0x8c, 0x07,
    0x2c, 0xc0, 0x12, 0x08, 0x07, 0x3a, 0x92, 0x8d, 0x5d, 0x66, 0xd5, 0x9e, 0xf7, 0x9e, 0x49, 0xa4,
    0x29, 0xc4, 0x1a, 0x6b, 0x26, 0x95, 0x71, 0xd5, 0x7e, 0xdb, 0x25, 0xfb, 0xdb, 0x18, 0x38, 0x42,
    0x56, 0x08, 0xb4, 0x13, 0xcd, 0x61, 0x6a, 0x5f, 0x6d, 0xb5, 0xb6, 0x07, 0x1a, 0xf9, 0x9b, 0xea};

// A line of the profile's templates. Those of the high range may also be used with their auth
// value, and their `unique` is empty.
struct EkRow {
  EkType type;
  std::variant<RsaSpec, EcSpec> algorithm;
  TPM2_ALG_ID name_alg;
  ByteView policy;
  uint16_t aes_bits;
};
const EkRow& RowOf(EkType type) {
  static constexpr EkRow kRows[] = {
      {EkType::Rsa, RsaSpec{2048}, TPM2_ALG_SHA256, kPolicyA, 128},
      {EkType::Ec, EcSpec{Curve::P256}, TPM2_ALG_SHA256, kPolicyA, 128},
      {EkType::HighRsa2048, RsaSpec{2048}, TPM2_ALG_SHA256, kPolicyB256, 128},
      {EkType::HighP256, EcSpec{Curve::P256}, TPM2_ALG_SHA256, kPolicyB256, 128},
      {EkType::HighP384, EcSpec{Curve::P384}, TPM2_ALG_SHA384, kPolicyB384, 256},
      {EkType::HighP521, EcSpec{Curve::P521}, TPM2_ALG_SHA512, kPolicyB512, 256},
      {EkType::HighRsa3072, RsaSpec{3072}, TPM2_ALG_SHA384, kPolicyB384, 256},
      {EkType::HighRsa4096, RsaSpec{4096}, TPM2_ALG_SHA384, kPolicyB384, 256},
  };
  const EkRow* found = std::ranges::find(kRows, type, &EkRow::type);
  if (found == std::end(kRows)) throw Error(Fault::BadInput, "no such endorsement key");
  return *found;
}

TPMT_PUBLIC Area(TPM2_ALG_ID type, TPMA_OBJECT attributes) {
  TPMT_PUBLIC area{};
  area.type = type;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = attributes;
  return area;
}

TPMT_PUBLIC RsaKey(unsigned bits, uint32_t exponent) {
  if (bits > TPM2_MAX_RSA_KEY_BYTES * 8)
    throw Error(Fault::Unsupported, "TPM 2.0 has no RSA keys of " + std::to_string(bits) + " bits");
  TPMT_PUBLIC area = Area(TPM2_ALG_RSA, kKey);
  TPMS_RSA_PARMS& parms = area.parameters.rsaDetail;
  parms.symmetric.algorithm = TPM2_ALG_NULL;
  parms.scheme.scheme = TPM2_ALG_NULL;
  parms.keyBits = static_cast<TPMI_RSA_KEY_BITS>(bits);
  parms.exponent = exponent == 65537 ? 0 : exponent;
  return area;
}

TPMT_PUBLIC EccArea(TPMA_OBJECT attributes, TPM2_ECC_CURVE curve) {
  TPMT_PUBLIC area = Area(TPM2_ALG_ECC, attributes);
  TPMS_ECC_PARMS& parms = area.parameters.eccDetail;
  parms.symmetric.algorithm = TPM2_ALG_NULL;
  parms.scheme.scheme = TPM2_ALG_NULL;
  parms.curveID = curve;
  parms.kdf.scheme = TPM2_ALG_NULL;
  return area;
}

TPMT_PUBLIC Empty(const RsaSpec& spec) { return RsaKey(spec.bits, spec.exponent); }
TPMT_PUBLIC Empty(const EcSpec& spec) { return EccArea(kKey, IdOf(spec.curve)); }

TPMT_PUBLIC Filled(const RsaPublic& key) {
  if (key.exponent.size() > sizeof(uint32_t))
    throw Error(Fault::Unsupported, "TPM 2.0 has no RSA exponents longer than 32 bits");
  uint32_t exponent = 0;
  for (uint8_t byte : key.exponent) exponent = exponent << 8 | byte;
  TPMT_PUBLIC area = RsaKey(static_cast<unsigned>(key.modulus.size() * 8), exponent);
  area.unique.rsa = Tpm2b<TPM2B_PUBLIC_KEY_RSA>(key.modulus);
  return area;
}

// Schemes of AKs: SHA-256 and the padding are in the public area, so that verifiers see them.
void MakeAttestationKey(TPMT_PUBLIC& area) {
  area.objectAttributes = kAttestationKey;
  if (area.type == TPM2_ALG_RSA) {
    TPMS_RSA_PARMS& parms = area.parameters.rsaDetail;
    if (parms.keyBits != 2048 || parms.exponent != 0)
      throw Error(Fault::Unsupported, "an RSA attestation key has 2048 bits and exponent 65537");
    parms.scheme.scheme = TPM2_ALG_RSASSA;
    parms.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
  } else {
    TPMS_ECC_PARMS& parms = area.parameters.eccDetail;
    if (parms.curveID != TPM2_ECC_NIST_P256)
      throw Error(Fault::Unsupported, "an EC attestation key is on P-256");
    parms.scheme.scheme = TPM2_ALG_ECDSA;
    parms.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  }
}

TPMT_PUBLIC Empty(const AesSpec& spec) {
  TPMT_PUBLIC area = Area(TPM2_ALG_SYMCIPHER, kKey);
  area.parameters.symDetail.sym = AesOf(spec.bits, TPM2_ALG_NULL);
  return area;
}
TPMT_PUBLIC Empty(const HmacSpec& spec) {
  TPMT_PUBLIC area = Area(TPM2_ALG_KEYEDHASH, kKey & ~TPMA_OBJECT_DECRYPT);
  TPMT_KEYEDHASH_SCHEME& scheme = area.parameters.keyedHashDetail.scheme;
  scheme.scheme = TPM2_ALG_HMAC;
  scheme.details.hmac.hashAlg = AlgOf(spec.hash);
  return area;
}

TPMT_PUBLIC Filled(const EcPublic& key) {
  TPMT_PUBLIC area = EccArea(kKey, IdOf(key.curve));
  area.unique.ecc = {Tpm2b<TPM2B_ECC_PARAMETER>(key.x), Tpm2b<TPM2B_ECC_PARAMETER>(key.y)};
  return area;
}

}  // namespace

TPMT_SYM_DEF_OBJECT AesOf(unsigned bits, TPM2_ALG_ID mode) {
  TPMT_SYM_DEF_OBJECT symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = static_cast<TPMI_AES_KEY_BITS>(bits);
  symmetric.mode.aes = mode;
  return symmetric;
}

TPMT_PUBLIC StorageRootTemplate() {
  TPMT_PUBLIC area = EccArea(kMadeHere | kStorage | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA,
                             TPM2_ECC_NIST_P256);
  area.parameters.eccDetail.symmetric = AesOf(128, TPM2_ALG_CFB);
  const Bytes zeros(FieldSize(Curve::P256));
  area.unique.ecc = {Tpm2b<TPM2B_ECC_PARAMETER>(zeros), Tpm2b<TPM2B_ECC_PARAMETER>(zeros)};
  return area;
}

TPMT_PUBLIC KeyFileRootTemplate() {
  TPMT_PUBLIC area = StorageRootTemplate();
  area.unique.ecc = {};
  return area;
}

TPMT_PUBLIC SealedTemplate() {
  TPMT_PUBLIC area = Area(TPM2_ALG_KEYEDHASH, TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                                  TPMA_OBJECT_USERWITHAUTH);
  area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return area;
}

TPMT_PUBLIC KeyTemplate(const KeySpec& spec) {
  TPMT_PUBLIC area = std::visit([](const auto& one) { return Empty(one); }, spec.algorithm);
  area.objectAttributes |= kMadeHere;
  if (spec.attestation_key) MakeAttestationKey(area);
  if (!spec.pcrs.empty()) {
    if (spec.attestation_key)
      throw Error(Fault::Unsupported, "attestation keys are not bound to PCRs");
    area.objectAttributes &= ~static_cast<TPMA_OBJECT>(TPMA_OBJECT_USERWITHAUTH);
    area.authPolicy = Tpm2b<TPM2B_DIGEST>(PolicyFor(spec.pcrs));
  }
  return area;
}

TPMT_PUBLIC SecretTemplate(const SecretSpec& spec, bool drawn) {
  TPMT_PUBLIC area = std::visit([](const auto& one) { return Empty(one); }, spec.algorithm);
  area.objectAttributes |= drawn ? kMadeHere : kMadeHere & ~TPMA_OBJECT_SENSITIVEDATAORIGIN;
  return area;
}

TPMT_PUBLIC EndorsementTemplate(EkType type) {
  const EkRow& row = RowOf(type);
  TPMT_PUBLIC area = std::visit([](const auto& one) { return Empty(one); }, row.algorithm);
  const bool low_range = type == EkType::Rsa || type == EkType::Ec;
  area.nameAlg = row.name_alg;
  area.objectAttributes = kEndorsement | (low_range ? 0 : TPMA_OBJECT_USERWITHAUTH);
  area.authPolicy = Tpm2b<TPM2B_DIGEST>(row.policy);
  (area.type == TPM2_ALG_RSA ? area.parameters.rsaDetail.symmetric
                             : area.parameters.eccDetail.symmetric) =
      AesOf(row.aes_bits, TPM2_ALG_CFB);
  if (low_range) SetNonce(area, {});
  return area;
}

void SetNonce(TPMT_PUBLIC& area, ByteView nonce) {
  Bytes unique = Copy(nonce);
  if (area.type == TPM2_ALG_RSA) {
    unique.resize(area.parameters.rsaDetail.keyBits / 8);
    area.unique.rsa = Tpm2b<TPM2B_PUBLIC_KEY_RSA>(unique);
  } else {
    unique.resize(FieldSize(CurveOf(area.parameters.eccDetail.curveID).value_or(Curve::P256)));
    area.unique.ecc = {Tpm2b<TPM2B_ECC_PARAMETER>(unique),
                       Tpm2b<TPM2B_ECC_PARAMETER>(Bytes(unique.size()))};
  }
}

bool IsEndorsementKey(const TPMT_PUBLIC& area, EkType type) {
  const auto& algorithm = RowOf(type).algorithm;
  const auto* rsa = std::get_if<RsaSpec>(&algorithm);
  if (area.type != (rsa != nullptr ? TPM2_ALG_RSA : TPM2_ALG_ECC) || !IsStorageRoot(area))
    return false;
  const bool fits = rsa != nullptr ? area.parameters.rsaDetail.keyBits == rsa->bits
                                   : CurveOf(area.parameters.eccDetail.curveID) ==
                                         std::get<EcSpec>(algorithm).curve;
  return fits && ((area.objectAttributes & TPMA_OBJECT_USERWITHAUTH) != 0
                      ? (area.objectAttributes & TPMA_OBJECT_ADMINWITHPOLICY) != 0
                      : Equal(View(area.authPolicy), kPolicyA));
}

TPMT_PUBLIC ImportTemplate(const PublicKey& key) {
  return std::visit([](const auto& one) { return Filled(one); }, key);
}

void CheckAdoptable(const TPMT_PUBLIC& area) {
  const TPMA_OBJECT attributes = area.objectAttributes;
  const auto has = [&](TPMA_OBJECT bits) { return (attributes & bits) != 0; };
  const bool rsa = area.type == TPM2_ALG_RSA, ec = area.type == TPM2_ALG_ECC;
  const TPM2_ALG_ID scheme =
      rsa ? area.parameters.rsaDetail.scheme.scheme : area.parameters.eccDetail.scheme.scheme;
  const auto hash = HashOf(area.nameAlg);
  const struct {
    bool refused;
    const char* why;
  } kReasons[] = {
      {!rsa && !ec, "it is neither RSA nor EC"},
      {ec && !CurveOf(area.parameters.eccDetail.curveID), "its curve is not supported"},
      {has(TPMA_OBJECT_RESTRICTED), "it is restricted"},
      {!has(TPMA_OBJECT_USERWITHAUTH) || has(TPMA_OBJECT_ADMINWITHPOLICY) ||
           area.authPolicy.size != 0,
       "it is bound to a policy"},
      {scheme != TPM2_ALG_NULL, "it is bound to one scheme"},
      {rsa && !has(TPMA_OBJECT_DECRYPT), "RSA keys must have decrypt set, for any padding"},
      {!has(TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT), "it may neither sign nor decrypt"},
      {!hash || DigestSize(*hash) < DigestSize(Hash::Sha256), "its name algorithm is too short"},
  };
  for (const auto& [refused, why] : kReasons)
    if (refused) throw Error(Fault::Unsupported, std::string("the key cannot be adopted: ") + why);
}

bool IsStorageRoot(const TPMT_PUBLIC& area) {
  constexpr TPMA_OBJECT kNeeded = kStorage | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;
  if ((area.type != TPM2_ALG_RSA && area.type != TPM2_ALG_ECC) ||
      (area.objectAttributes & kNeeded) != kNeeded || !HashOf(area.nameAlg))
    return false;
  const TPMT_SYM_DEF_OBJECT& symmetric = area.type == TPM2_ALG_RSA
                                             ? area.parameters.rsaDetail.symmetric
                                             : area.parameters.eccDetail.symmetric;
  return symmetric.algorithm == TPM2_ALG_AES && symmetric.mode.aes == TPM2_ALG_CFB &&
         (area.type == TPM2_ALG_RSA || CurveOf(area.parameters.eccDetail.curveID).has_value());
}

}  // namespace keyscope::tpm::tss
