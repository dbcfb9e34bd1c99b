#include "tpm/ncrypt/facts.h"

#include "tpm/ncrypt/keys.h"
#include "tpm/ncrypt/structures.h"
#include "tpm/ncrypt/tpm_commands.h"

namespace keyscope::tpm::ncrypt {
namespace {

// TPM_PT (Part 2, section 6.13)
constexpr uint32_t kFixed = 0x100, kManufacturer = 0x105, kVendor1 = 0x106, kVendor4 = 0x109,
                   kFirmware1 = 0x10B;
constexpr uint32_t kVariable = 0x200, kPermanent = 0x200, kLockoutCounter = 0x20E,
                   kMaxAuthFail = 0x20F, kLockoutInterval = 0x210;
constexpr uint32_t kInLockout = 1U << 9;  // TPMA_PERMANENT

// Four characters a property, padded with NUL or blank.
std::string TextOf(const Properties& properties, uint32_t first, uint32_t last) {
  std::string text;
  for (uint32_t property = first; property <= last; ++property) {
    const auto found = properties.find(property);
    if (found == properties.end()) continue;
    for (int shift : {24, 16, 8, 0}) {
      const auto letter = static_cast<char>(found->second >> shift);
      if (letter >= 0x20 && letter < 0x7f) text += letter;
    }
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::vector<unsigned> AskRsaSizes(const Provider& provider) {
  // A key that is never finalized, so it is never made.
  const Handle key = provider.Create(BCRYPT_RSA_ALGORITHM, {}, KeyScope::User);
  const auto lengths = GetNumber<NCRYPT_SUPPORTED_LENGTHS>(key.get(), NCRYPT_LENGTHS_PROPERTY);
  std::vector<unsigned> sizes;
  for (unsigned bits : {1024U, 2048U, 3072U, 4096U}) {
    const bool in_range = bits >= lengths.dwMinLength && bits <= lengths.dwMaxLength;
    const bool in_step = lengths.dwIncrement == 0
                             ? bits == lengths.dwMinLength
                             : (bits - lengths.dwMinLength) % lengths.dwIncrement == 0;
    if (in_range && in_step) sizes.push_back(bits);
  }
  return sizes;
}

}  // namespace

Facts AskFacts(const Provider& provider) {
  Facts facts;
  Properties fixed = AskProperties(provider, kFixed);
  facts.manufacturer = TextOf(fixed, kManufacturer, kManufacturer);
  facts.model = TextOf(fixed, kVendor1, kVendor4);
  facts.firmware_major = fixed[kFirmware1] >> 16;
  facts.firmware_minor = fixed[kFirmware1] & 0xffff;
  const std::set<uint16_t> algorithms = AskAlgorithms(provider);
  for (Hash hash : {Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512})
    if (HashId(hash) != nullptr && algorithms.contains(AlgOf(hash))) facts.hashes.push_back(hash);
  for (const CurveRow& row : kCurves)
    if (provider.Supports(row.ecdsa) && provider.Supports(row.ecdh))
      facts.curves.push_back(row.curve);
  facts.rsa_bits = AskRsaSizes(provider);
  facts.padded_rsa = facts.ec_either = facts.only_rsa_aks = facts.only_certify = facts.no_import =
      true;
  return facts;
}

Lockout AskLockout(const Provider& provider) {
  Properties variable = AskProperties(provider, kVariable);
  return {.in_lockout = (variable[kPermanent] & kInLockout) != 0,
          .tries_used = variable[kLockoutCounter],
          .max_tries = variable[kMaxAuthFail],
          .seconds_per_try = variable[kLockoutInterval]};
}

}  // namespace keyscope::tpm::ncrypt
