#include "tpm/tss/algorithms.h"

#include <array>
#include <utility>

namespace keyscope::tpm::tss {
namespace {

// TPM 2.0 has no numbers for SHA-224 and SHA3-224.
constexpr std::array kHashes = {
    std::pair{Hash::Sha1, TPM2_ALG_SHA1},         std::pair{Hash::Sha256, TPM2_ALG_SHA256},
    std::pair{Hash::Sha384, TPM2_ALG_SHA384},     std::pair{Hash::Sha512, TPM2_ALG_SHA512},
    std::pair{Hash::Sha3_256, TPM2_ALG_SHA3_256}, std::pair{Hash::Sha3_384, TPM2_ALG_SHA3_384},
    std::pair{Hash::Sha3_512, TPM2_ALG_SHA3_512},
};

constexpr std::array kCurves = {
    std::pair{Curve::P256, TPM2_ECC_NIST_P256},
    std::pair{Curve::P384, TPM2_ECC_NIST_P384},
    std::pair{Curve::P521, TPM2_ECC_NIST_P521},
};

constexpr std::array kAesModes = {
    std::pair{AesMode::Ecb, TPM2_ALG_ECB}, std::pair{AesMode::Cbc, TPM2_ALG_CBC},
    std::pair{AesMode::Ctr, TPM2_ALG_CTR}, std::pair{AesMode::Cfb128, TPM2_ALG_CFB},
    std::pair{AesMode::Ofb, TPM2_ALG_OFB},
};

}  // namespace

TPM2_ALG_ID AlgOf(Hash hash) {
  for (const auto& [ours, theirs] : kHashes)
    if (ours == hash) return theirs;
  return TPM2_ALG_NULL;
}

std::optional<Hash> HashOf(TPM2_ALG_ID alg) {
  for (const auto& [ours, theirs] : kHashes)
    if (theirs == alg) return ours;
  return std::nullopt;
}

TPM2_ALG_ID AlgOf(AesMode mode) {
  for (const auto& [ours, theirs] : kAesModes)
    if (ours == mode) return theirs;
  return TPM2_ALG_NULL;
}

TPM2_ECC_CURVE IdOf(Curve curve) {
  for (const auto& [ours, theirs] : kCurves)
    if (ours == curve) return theirs;
  return TPM2_ECC_NONE;
}

std::optional<Curve> CurveOf(TPM2_ECC_CURVE id) {
  for (const auto& [ours, theirs] : kCurves)
    if (theirs == id) return ours;
  return std::nullopt;
}

}  // namespace keyscope::tpm::tss
