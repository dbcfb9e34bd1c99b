#include "tests/attestation/verifier.h"

#include <stdexcept>

#include "tests/contract/statement.h"
#include "tests/support/byte_reader.h"

namespace keyscope::test {
namespace {

constexpr uint16_t kRsa = 0x0001, kEcc = 0x0023, kNull = 0x0010;
constexpr size_t kShortestSignature = 8, kSmallestModulus = 256;

void TakeSymmetricAndScheme(ByteReader& reader) {
  if (reader.Number(2) != kNull) reader.Take(4);  // key bits, mode
  if (reader.Number(2) != kNull) reader.Take(2);  // hash
}

tpm::PublicKey TakeRsa(ByteReader& reader) {
  TakeSymmetricAndScheme(reader);
  reader.Take(2);  // key bits
  reader.Take(4);  // exponent: 0, for 65537
  return tpm::RsaPublic{reader.Sized(), {1, 0, 1}};
}

tpm::PublicKey TakeEcc(ByteReader& reader) {
  TakeSymmetricAndScheme(reader);
  const uint32_t curve = reader.Number(2);
  if (curve < 3 || curve > 5) throw std::runtime_error("not a NIST curve");
  if (reader.Number(2) != kNull) reader.Take(2);  // KDF
  tpm::EcPublic key{static_cast<tpm::Curve>(curve - 3), {}, {}};
  key.x = reader.Sized();
  key.y = reader.Sized();
  return key;
}

bool IsLarge(const tpm::PublicKey& key) {
  const auto* rsa = std::get_if<tpm::RsaPublic>(&key);
  return rsa == nullptr || rsa->modulus.size() >= kSmallestModulus;
}

// What AKs and keys have in common.
std::string CheckMade(const PublicArea& area, const Attested& attested, ByteView tpmt_public) {
  const uint32_t has = area.attributes;
  if (!IsLarge(area.key)) return "key size";
  if (attested.magic != kGenerated) return "magic";
  if ((has & kFixedTpm) == 0) return "fixedTPM";
  if ((has & kFixedParent) == 0) return "fixedParent";
  if ((has & kDataOrigin) == 0) return "sensitiveDataOrigin";
  if (attested.name != NameFor(tpmt_public)) return "name";
  return "";
}

bool HasType(ByteView attest, uint16_t type) {
  return attest.size() > 6 && attest[4] == type >> 8 && attest[5] == (type & 0xff);
}

}  // namespace

PublicArea ParsePublic(ByteView tpmt_public) {
  ByteReader reader(tpmt_public);
  const uint32_t type = reader.Number(2);
  reader.Take(2);  // nameAlg
  PublicArea area;
  area.attributes = reader.Number(4);
  reader.Sized();  // authPolicy
  if (type != kRsa && type != kEcc) throw std::runtime_error("neither RSA nor ECC");
  area.key = type == kRsa ? TakeRsa(reader) : TakeEcc(reader);
  reader.End();
  return area;
}

std::string CheckAk(const Evidence& ak, ByteView nonce) {
  if (ak.creation.signature.size() < kShortestSignature) return "signature length";
  if (!HasType(ak.creation.attest, kCreation)) return "type";
  const PublicArea area = ParsePublic(ak.public_area);
  const Attested attested = ParseAttest(ak.creation.attest);
  if (attested.creation_hash != Sha256(ak.creation_data)) return "creation hash";
  if ((area.attributes & kRestricted) == 0) return "restricted";
  const std::string made = CheckMade(area, attested, ak.public_area);
  if (!made.empty()) return made;
  if (!Equal(attested.extra_data, nonce)) return "nonce";
  return IsSignedBy(area.key, ak.creation) ? "" : "signature";
}

std::string CheckKey(ByteView ak_public, ByteView key_public, const tpm::Statement& statement,
                     ByteView nonce) {
  if (!HasType(statement.attest, kCertify)) return "type";
  const PublicArea area = ParsePublic(key_public);
  const Attested attested = ParseAttest(statement.attest);
  if ((area.attributes & kRestricted) != 0) return "restricted";
  const std::string made = CheckMade(area, attested, key_public);
  if (!made.empty()) return made;
  if (!Equal(attested.extra_data, nonce)) return "nonce";
  return IsSignedBy(ParsePublic(ak_public).key, statement) ? "" : "signature";
}

std::string CheckScope(ByteView ak_public, const Evidence& key, std::string_view outside_info) {
  if (!HasType(key.creation.attest, kCreation)) return "type";
  const Attested attested = ParseAttest(key.creation.attest);
  if (attested.magic != kGenerated) return "magic";
  if (attested.name != NameFor(key.public_area)) return "name";
  if (attested.creation_hash != Sha256(key.creation_data)) return "creation hash";
  if (!IsSignedBy(ParsePublic(ak_public).key, key.creation)) return "signature";
  return AsString(OutsideInfoOf(key.creation_data)) == outside_info ? "" : "scope";
}

}  // namespace keyscope::test
