// The TPM's structures as a verifier needs them, read from bytes that nobody vouches for. Written
// from TPM 2.0 Part 2; shares nothing with tpm/, which makes what is verified here.
//
// Every Parse throws Malformed with what is wrong, also for bytes that are left over.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace keyscope::cli {

struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// TPM_ALG_ID (section 6.3), TPM_ECC_CURVE (6.4), TPM_ST (6.9), TPMA_OBJECT (8.3)
enum Alg : uint16_t {
  kAlgRsa = 0x0001,
  kAlgSha1 = 0x0004,
  kAlgSha256 = 0x000B,
  kAlgSha384 = 0x000C,
  kAlgSha512 = 0x000D,
  kAlgNull = 0x0010,
  kAlgRsassa = 0x0014,
  kAlgRsapss = 0x0016,
  kAlgEcdsa = 0x0018,
  kAlgEcdaa = 0x001A,
  kAlgEcc = 0x0023,
};
enum CurveId : uint16_t { kP256 = 0x0003, kP384 = 0x0004, kP521 = 0x0005 };
enum AttestType : uint16_t {
  kAttestCertify = 0x8017,
  kAttestQuote = 0x8018,
  kAttestCreation = 0x801A
};
enum ObjectAttribute : uint32_t {
  kFixedTpm = 1u << 1,
  kFixedParent = 1u << 4,
  kSensitiveDataOrigin = 1u << 5,
  kRestricted = 1u << 16,
  kDecrypt = 1u << 17,
  kSign = 1u << 18,
};
inline constexpr uint32_t kGeneratedByTpm = 0xff544347;  // TPM_GENERATED_VALUE (6.2)

// TPMT_PUBLIC (12.2.4) of an asymmetric key.
struct RsaParts {
  Bytes modulus;
  uint32_t exponent = 65537;
};
struct EccParts {
  uint16_t curve = 0;
  Bytes x, y;
};
struct PublicArea {
  uint16_t name_alg = 0;
  uint32_t attributes = 0;
  Bytes policy;                // authPolicy
  uint16_t scheme = kAlgNull;  // of signatures, with its hash
  uint16_t scheme_hash = kAlgNull;
  std::variant<RsaParts, EccParts> key;

  bool Has(ObjectAttribute attribute) const { return (attributes & attribute) != 0; }
};
PublicArea ParsePublic(ByteView bytes);

// TPMS_PCR_SELECTION (10.6.1)
struct PcrSelection {
  uint16_t hash = 0;
  std::vector<int> pcrs;
};

std::string ToText(const PcrSelection& selection);  // "sha256:0,7", as tpm2-tools write it
size_t SizeOfPcr(uint16_t bank);                    // 0: no bank that a TPM has

// TPMS_ATTEST (10.12.8) of the three kinds that Keyscope has.
struct Attest {
  uint32_t magic = 0;
  uint16_t type = 0;
  Bytes extra_data;
  Bytes name;           // of the certified or created object
  Bytes creation_hash;  // of a creation
  std::vector<PcrSelection> pcr_select;
  Bytes pcr_digest;  // of a quote
};
// The fields after `type` are read only for a known type: else Malformed.
Attest ParseAttest(ByteView bytes);

// TPMT_SIGNATURE (11.3.4): RSASSA, RSAPSS, ECDSA
struct TpmSignature {
  uint16_t scheme = 0;
  uint16_t hash = 0;
  Bytes rsa;   // big-endian
  Bytes r, s;  // big-endian
};
TpmSignature ParseSignature(ByteView bytes);

// TPMS_CREATION_DATA (15.1): its outsideInfo.
Bytes ParseOutsideInfo(ByteView creation_data);

// The size of the first TPM2B_ in `bytes`, its two size bytes included.
size_t SizeOfFirst2b(ByteView bytes);

// OpenSSL's name of a hash; nullptr for one that no verifier should take (SHA-1) or that is none.
const char* SecureHash(uint16_t alg);
Bytes HashOf(uint16_t alg, ByteView data);  // Malformed for a hash that SecureHash does not know

// The Name of the object with this TPMT_PUBLIC (Part 1, section 16).
Bytes NameOf(ByteView public_area);

}  // namespace keyscope::cli
