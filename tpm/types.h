// The words in which token/ and a Backend talk about keys. Neutral: neither PKCS#11 nor TSS types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/scope.h"
#include "base/secret.h"

namespace keyscope::tpm {

enum class Hash : uint8_t {
  None,
  Sha1,
  Sha224,
  Sha256,
  Sha384,
  Sha512,
  Sha3_224,
  Sha3_256,
  Sha3_384,
  Sha3_512
};
enum class Curve : uint8_t { P256, P384, P521 };

// As OpenSSL and the stored facts name them: "SHA256", "P-256". Hash::None: "" and 0.
const char* Name(Hash hash);
size_t DigestSize(Hash hash);
size_t BlockSize(Hash hash);  // of HMAC (FIPS 198-1)
const char* Name(Curve curve);
size_t FieldSize(Curve curve);  // bytes of one coordinate

struct RsaPublic {
  Bytes modulus;   // big-endian, no leading zeros
  Bytes exponent;  // big-endian, no leading zeros
};
struct EcPublic {
  Curve curve{};
  Bytes x, y;  // big-endian, each padded to the size of the field
};
using PublicKey = std::variant<RsaPublic, EcPublic>;

struct RsaSpec {
  unsigned bits = 2048;
  uint32_t exponent = 65537;
};
struct EcSpec {
  Curve curve = Curve::P256;
  bool agrees = false;  // where Facts::ec_either: it agrees and does not sign
};
// PCRs of a bank; bit i of `pcrs`: PCR i.
inline constexpr unsigned kPcrs = 24;
struct PcrSelection {
  Hash bank = Hash::Sha256;
  uint32_t pcrs = 0;

  bool Has(unsigned pcr) const { return (pcrs >> pcr & 1) != 0; }
  bool operator==(const PcrSelection&) const = default;
};
// And what they hold: digests of the bank's size, ascending, one behind the other.
struct PcrState {
  PcrSelection selection = {};
  Bytes values = {};

  bool empty() const { return selection.pcrs == 0; }
};

// What Create is to make: a fixedTPM, fixedParent key of the TPM's own making, authorized by its
// own auth value (userWithAuth, noDA). It is unrestricted and has the null scheme, so that it can
// sign and decrypt (RSA) or agree (EC); or it is an attestation key (AK), restricted to signing
// what the TPM states: RSA-2048 with RSASSA or P-256 with ECDSA, SHA-256.
//
// With `pcrs` it is used only while these PCRs hold these values: userWithAuth is clear, and its
// policy is TPM2_PolicyPCR with TPM2_PolicyAuthValue. Certifying it and keeping it at a persistent
// handle take no notice of them. Not for an AK.
struct KeySpec {
  KeyScope scope = KeyScope::User;
  std::variant<RsaSpec, EcSpec> algorithm;
  bool attestation_key = false;
  Bytes outside_info = {};     // goes into the creation data
  bool creation_only = false;  // of an attested key: no TPM2_Certify at its birth
  PcrState pcrs = {};
  // Under which the provider keeps the key: what Backend::NewName gave. Empty: kept by whom it is
  // handed to.
  Bytes name = {};
};

// Private parts of a key that comes from outside.
struct RsaPrivate {
  RsaPublic public_key;
  SecretBytes prime;  // one of the two primes, big-endian
};
struct EcPrivate {
  EcPublic public_key;
  SecretBytes scalar;  // big-endian, padded to the size of the field
};
using PrivateKey = std::variant<RsaPrivate, EcPrivate>;

// A secret key, fixed to its use: AES in any of the modes below, or HMAC with one hash.
struct AesSpec {
  unsigned bits = 256;
};
struct HmacSpec {
  Hash hash = Hash::Sha256;
};
struct SecretSpec {
  KeyScope scope = KeyScope::User;
  std::variant<AesSpec, HmacSpec> algorithm;
};
// The longest value of an HMAC key in the hardware, in bytes: the block that HMAC makes of it, or
// what TPM2_Create takes (MAX_SYM_DATA).
size_t LongestHmacKey(Hash hash);

// NIST SP 800-38A; CTR counts on all 128 bits.
enum class AesMode : uint8_t { Ecb, Cbc, Ctr, Cfb128, Ofb };
inline constexpr size_t kAesBlock = 16;
enum class Direction : uint8_t { Decrypt, Encrypt };

// A key as the hardware hands it out: opaque to all but the backend that made it.
// TSS: marshalled TPM2B_PUBLIC and TPM2B_PRIVATE; behind that, of a key that is not under the
// token's root, the handle and the TPM2B_PUBLIC of the one that it is under.
// NCrypt: the same public half; the private one is the provider's own blob, or the name of a key
// that the provider keeps.
struct KeyBlob {
  Bytes public_area;
  Bytes private_area;
};

// A key that other software had made, as key files have it (`TSS2 PRIVATE KEY`).
struct ForeignKey {
  KeyBlob blob;         // marshalled TPM2B_PUBLIC and TPM2B_PRIVATE
  Bytes import_secret;  // marshalled TPM2B_ENCRYPTED_SECRET, of a key for TPM2_Import only
  uint32_t parent = 0;  // a persistent handle, or TPM_RH_OWNER (0x40000001)
  SecretBytes auth;     // its own so far; empty: none
};
// What a key may do (TPMA_OBJECT): an EC key that decrypts agrees.
struct KeyUses {
  bool signs = false, decrypts = false;
};

// The parent of the keys of a token: on TSS the SRK. Pinned in the token row by C_InitToken.
struct Root {
  uint32_t handle = 0;  // persistent handle; 0: a primary made from the template when needed
  Bytes public_area;    // marshalled TPM2B_PUBLIC
  Bytes name;           // its Name (TPM 2.0 Part 1, section 16)
};

// A key ready for use. `uid` names it in the backend's cache of loaded keys, and on NCrypt in the
// provider.
struct KeyRef {
  Bytes uid;
  KeyScope scope = KeyScope::User;
  KeyBlob blob;
  SecretBytes auth;         // 32 bytes, high entropy
  uint32_t persistent = 0;  // used at this persistent handle; 0: loaded from the blob
  PcrState pcrs = {};       // as in its KeySpec
};

// What the TPM states, signed by an AK: TPMS_ATTEST and TPMT_SIGNATURE, marshalled (TPM 2.0 Part 2,
// sections 10.12.12 and 11.3.4).
struct Statement {
  Bytes attest;
  Bytes signature;
};

// A key and what is stated at its birth.
struct CreatedKey {
  KeyBlob blob;
  // TPMS_CREATION_DATA (section 15.1) and TPM2_CertifyCreation, by the AK; an AK's own by itself.
  // Both empty where the provider does not tell them.
  Bytes creation_data;
  Statement creation;
  // TPM2_Certify, by the AK; none for an AK, nor with KeySpec::creation_only.
  std::optional<Statement> certification;
};

// Endorsement keys, by the NV index of their certificate (TCG EK Credential Profile 2.x, sections
// 2.2.1.4 and 2.2.1.5): RSA-2048 and P-256 of the low range, and those of the high range.
enum class EkType : uint32_t {
  Rsa = 0x01C00002,
  Ec = 0x01C0000A,
  HighRsa2048 = 0x01C00012,
  HighP256 = 0x01C00014,
  HighP384 = 0x01C00016,
  HighP521 = 0x01C00018,
  HighRsa3072 = 0x01C0001C,
  HighRsa4096 = 0x01C0001E,
};
inline constexpr EkType kEkTypes[] = {
    EkType::Rsa,      EkType::Ec,       EkType::HighRsa2048, EkType::HighP256,
    EkType::HighP384, EkType::HighP521, EkType::HighRsa3072, EkType::HighRsa4096,
};
// An endorsement key and its certificate.
struct Endorsement {
  EkType type{};
  Bytes public_area;  // TPMT_PUBLIC, marshalled
  Bytes name;
  PublicKey key;
  Bytes certificate;  // DER; empty: the TPM holds none
};

// TPM2_Sign's schemes: RSASSA and ECDSA over a digest; RSAPSS, with a salt as long as the digest,
// where Facts::padded_rsa.
enum class SignScheme : uint8_t { RsaPkcs1, RsaPss, Ecdsa };
// RSAES-PKCS1-v1_5, and OAEP without a label, whose mask generation has the same hash.
enum class RsaPadding : uint8_t { Pkcs1, Oaep };

// What a TPM can do: learnt once with LearnFacts, kept in the store as name/value pairs.
struct Facts {
  std::string manufacturer;        // TPM_PT_MANUFACTURER, e.g. "IBM"
  std::string model;               // TPM_PT_VENDOR_STRING_1..4, trimmed
  uint32_t firmware_major = 0;     // TPM_PT_FIRMWARE_VERSION_1 >> 16
  uint32_t firmware_minor = 0;     // TPM_PT_FIRMWARE_VERSION_1 & 0xffff
  std::vector<Hash> hashes;        // usable in signing schemes
  std::vector<Curve> curves;       // usable for ECDSA and ECDH
  std::vector<unsigned> rsa_bits;  // key sizes for RSA, ascending
  bool raw_rsa = false;            // RSA decrypt with the null scheme works
  bool padded_rsa = false;         // SignScheme::RsaPss and DecryptRsa work
  bool ec_either = false;          // an EC key signs or agrees, not both (EcSpec::agrees)
  bool only_rsa_aks = false;       // there are no EC AKs
  bool only_certify = false;       // an attested key's creation is not stated
  bool no_import = false;          // private keys do not come from outside
  std::vector<unsigned> aes_bits;  // key sizes of AES in every AesMode, ascending
  bool hmac = false;               // HMAC with each of `hashes`, of messages of any length

  std::map<std::string, std::string> ToPairs() const;
  static Facts FromPairs(const std::map<std::string, std::string>& pairs);
};

// The TPM's dictionary-attack counters (TPM_PT_LOCKOUT_*).
struct Lockout {
  bool in_lockout = false;
  uint32_t tries_used = 0;
  uint32_t max_tries = 0;
  uint32_t seconds_per_try = 0;  // time after which one try is given back
};

}  // namespace keyscope::tpm
