#include "tpm/tss/templates.h"

#include "base/error.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

constexpr TPMA_OBJECT kMadeHere =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN;
constexpr TPMA_OBJECT kKey =
    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT;
constexpr TPMA_OBJECT kStorage = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;

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

TPMT_PUBLIC Filled(const EcPublic& key) {
  TPMT_PUBLIC area = EccArea(kKey, IdOf(key.curve));
  area.unique.ecc = {Tpm2b<TPM2B_ECC_PARAMETER>(key.x), Tpm2b<TPM2B_ECC_PARAMETER>(key.y)};
  return area;
}

}  // namespace

TPMT_PUBLIC StorageRootTemplate() {
  TPMT_PUBLIC area = EccArea(kMadeHere | kStorage | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA,
                             TPM2_ECC_NIST_P256);
  TPMT_SYM_DEF_OBJECT& symmetric = area.parameters.eccDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  const Bytes zeros(FieldSize(Curve::P256));
  area.unique.ecc = {Tpm2b<TPM2B_ECC_PARAMETER>(zeros), Tpm2b<TPM2B_ECC_PARAMETER>(zeros)};
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
  return area;
}

TPMT_PUBLIC ImportTemplate(const PublicKey& key) {
  return std::visit([](const auto& one) { return Filled(one); }, key);
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
