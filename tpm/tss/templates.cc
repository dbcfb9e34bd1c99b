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
constexpr TPMA_OBJECT kAttestationKey = kMadeHere | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                                        TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
constexpr TPMA_OBJECT kStorage = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
constexpr TPMA_OBJECT kEndorsement = kMadeHere | kStorage | TPMA_OBJECT_ADMINWITHPOLICY;

// PolicySecret(TPM_RH_ENDORSEMENT), SHA-256 (EK Credential Profile, annex B.3).
constexpr uint8_t kEndorsementPolicy[] = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

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

TPMT_SYM_DEF_OBJECT Aes128Cfb() {
  TPMT_SYM_DEF_OBJECT symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return symmetric;
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
  area.parameters.eccDetail.symmetric = Aes128Cfb();
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
  if (spec.attestation_key) MakeAttestationKey(area);
  return area;
}

TPMT_PUBLIC EndorsementTemplate(EkType type, ByteView nonce) {
  const bool rsa = type == EkType::Rsa;
  TPMT_PUBLIC area = rsa ? RsaKey(2048, 65537) : EccArea(0, TPM2_ECC_NIST_P256);
  area.objectAttributes = kEndorsement;
  area.authPolicy = Tpm2b<TPM2B_DIGEST>(kEndorsementPolicy);
  Bytes unique = Copy(nonce);
  unique.resize(rsa ? 256 : FieldSize(Curve::P256));
  if (rsa) {
    area.parameters.rsaDetail.symmetric = Aes128Cfb();
    area.unique.rsa = Tpm2b<TPM2B_PUBLIC_KEY_RSA>(unique);
  } else {
    area.parameters.eccDetail.symmetric = Aes128Cfb();
    area.unique.ecc = {Tpm2b<TPM2B_ECC_PARAMETER>(unique),
                       Tpm2b<TPM2B_ECC_PARAMETER>(Bytes(unique.size()))};
  }
  return area;
}

bool IsEndorsementKey(const TPMT_PUBLIC& area, EkType type) {
  return area.type == (type == EkType::Rsa ? TPM2_ALG_RSA : TPM2_ALG_ECC) && IsStorageRoot(area) &&
         Equal(View(area.authPolicy), kEndorsementPolicy);
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
