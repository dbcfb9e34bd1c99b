#include "cli/tpm_structures.h"

#include <algorithm>
#include <iterator>

#include "base/ossl.h"

namespace keyscope::cli {
namespace {

// Reads big-endian numbers and TPM2B_ byte strings off the front.
class Reader {
 public:
  Reader(const char* what, ByteView bytes) : what_(what), rest_(bytes) {}

  ByteView Take(size_t size) {
    if (rest_.size() < size) throw Malformed(std::string(what_) + " is cut short");
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <typename Number>
  Number Take() {
    uint64_t number = 0;
    for (uint8_t byte : Take(sizeof(Number))) number = number << 8 | byte;
    return static_cast<Number>(number);
  }
  uint16_t U16() { return Take<uint16_t>(); }
  Bytes Tpm2b() { return Copy(Take(U16())); }
  void End() const {
    if (!rest_.empty()) throw Malformed(std::string(what_) + " has bytes left over");
  }
  [[noreturn]] void Refuse(const std::string& why) const {
    throw Malformed(std::string(what_) + " " + why);
  }

 private:
  const char* what_;
  ByteView rest_;
};

struct BankRow {
  uint16_t alg;
  const char* name;
  size_t size;  // of a PCR in it
};
constexpr BankRow kBanks[] = {{kAlgSha1, "sha1", 20},
                              {kAlgSha256, "sha256", 32},
                              {kAlgSha384, "sha384", 48},
                              {kAlgSha512, "sha512", 64}};

// TPMT_SYM_DEF_OBJECT (11.1.7)
void SkipSymmetric(Reader& reader) {
  if (reader.U16() != kAlgNull) reader.Take(4);  // key bits and mode
}

// TPMT_RSA_SCHEME (11.2.4.2), TPMT_ECC_SCHEME (11.2.5.6), TPMT_KDF_SCHEME (11.2.3.2)
void ReadScheme(Reader& reader, uint16_t& scheme, uint16_t& hash) {
  constexpr uint16_t kAlgRsaes = 0x0015;
  scheme = reader.U16();
  if (scheme == kAlgNull || scheme == kAlgRsaes) return;
  hash = reader.U16();
  if (scheme == kAlgEcdaa) reader.U16();  // its count
}

RsaParts ReadRsa(Reader& reader) {
  RsaParts key;
  reader.U16();  // keyBits: the modulus speaks for itself
  if (const auto exponent = reader.Take<uint32_t>(); exponent != 0) key.exponent = exponent;
  key.modulus = reader.Tpm2b();
  return key;
}

EccParts ReadEcc(Reader& reader) {
  EccParts key;
  key.curve = reader.U16();
  uint16_t kdf = kAlgNull, kdf_hash = kAlgNull;
  ReadScheme(reader, kdf, kdf_hash);
  key.x = reader.Tpm2b();
  key.y = reader.Tpm2b();
  return key;
}

// TPML_PCR_SELECTION (10.9.7)
std::vector<PcrSelection> ReadPcrSelections(Reader& reader) {
  constexpr uint32_t kMostBanks = 16;
  const auto count = reader.Take<uint32_t>();
  if (count > kMostBanks) reader.Refuse("selects more PCR banks than there are");
  std::vector<PcrSelection> selections(count);
  for (PcrSelection& selection : selections) {
    selection.hash = reader.U16();
    int pcr = 0;
    for (uint8_t byte : reader.Take(reader.Take<uint8_t>()))
      for (int bit = 0; bit < 8; ++bit, ++pcr)
        if ((byte >> bit & 1) != 0) selection.pcrs.push_back(pcr);
  }
  return selections;
}

struct HashRow {
  uint16_t alg;
  const char* name;
};
constexpr HashRow kHashes[] = {
    {kAlgSha256, "SHA2-256"}, {kAlgSha384, "SHA2-384"}, {kAlgSha512, "SHA2-512"}};

}  // namespace

PublicArea ParsePublic(ByteView bytes) {
  Reader reader("the public area", bytes);
  PublicArea area;
  const uint16_t type = reader.U16();
  area.name_alg = reader.U16();
  area.attributes = reader.Take<uint32_t>();
  area.policy = reader.Tpm2b();
  if (type != kAlgRsa && type != kAlgEcc) reader.Refuse("is of no RSA or EC key");
  SkipSymmetric(reader);
  ReadScheme(reader, area.scheme, area.scheme_hash);
  if (type == kAlgRsa)
    area.key = ReadRsa(reader);
  else
    area.key = ReadEcc(reader);
  reader.End();
  return area;
}

Attest ParseAttest(ByteView bytes) {
  constexpr size_t kClockInfo = 8 + 4 + 4 + 1, kFirmware = 8;
  Reader reader("the statement", bytes);
  Attest attest;
  attest.magic = reader.Take<uint32_t>();
  attest.type = reader.U16();
  reader.Tpm2b();  // qualifiedSigner
  attest.extra_data = reader.Tpm2b();
  reader.Take(kClockInfo + kFirmware);
  switch (attest.type) {
    case kAttestCertify:
      attest.name = reader.Tpm2b();
      reader.Tpm2b();  // qualifiedName
      break;
    case kAttestCreation:
      attest.name = reader.Tpm2b();
      attest.creation_hash = reader.Tpm2b();
      break;
    case kAttestQuote:
      attest.pcr_select = ReadPcrSelections(reader);
      attest.pcr_digest = reader.Tpm2b();
      break;
    default:
      reader.Refuse("is of a type that Keyscope does not make");
  }
  reader.End();
  return attest;
}

TpmSignature ParseSignature(ByteView bytes) {
  Reader reader("the signature", bytes);
  TpmSignature signature;
  signature.scheme = reader.U16();
  signature.hash = reader.U16();
  if (signature.scheme == kAlgRsassa || signature.scheme == kAlgRsapss) {
    signature.rsa = reader.Tpm2b();
  } else if (signature.scheme == kAlgEcdsa) {
    signature.r = reader.Tpm2b();
    signature.s = reader.Tpm2b();
  } else {
    reader.Refuse("is of an unknown scheme");
  }
  reader.End();
  return signature;
}

Bytes ParseOutsideInfo(ByteView creation_data) {
  Reader reader("the creation data", creation_data);
  ReadPcrSelections(reader);
  reader.Tpm2b();          // pcrDigest
  reader.Take<uint8_t>();  // locality
  reader.U16();            // parentNameAlg
  reader.Tpm2b();          // parentName
  reader.Tpm2b();          // parentQualifiedName
  Bytes outside_info = reader.Tpm2b();
  reader.End();
  return outside_info;
}

size_t SizeOfFirst2b(ByteView bytes) {
  Reader reader("the answer", bytes);
  return 2 + reader.Tpm2b().size();
}

std::string ToText(const PcrSelection& selection) {
  const BankRow* row = std::ranges::find(kBanks, selection.hash, &BankRow::alg);
  std::string text = row == std::end(kBanks) ? "a bank that no TPM has" : row->name;
  char separator = ':';
  for (int pcr : selection.pcrs) {
    text += separator + std::to_string(pcr);
    separator = ',';
  }
  return text;
}

size_t SizeOfPcr(uint16_t bank) {
  const BankRow* row = std::ranges::find(kBanks, bank, &BankRow::alg);
  return row == std::end(kBanks) ? 0 : row->size;
}

const char* SecureHash(uint16_t alg) {
  const HashRow* row = std::ranges::find(kHashes, alg, &HashRow::alg);
  return row == std::end(kHashes) ? nullptr : row->name;
}

Bytes HashOf(uint16_t alg, ByteView data) {
  const char* name = SecureHash(alg);
  if (name == nullptr) throw Malformed("a hash that is not SHA-256, SHA-384 or SHA-512");
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), digest.data(), &size, ossl::Digest(name), nullptr) != 1)
    throw Malformed("OpenSSL does not hash: " + ossl::TakeError());
  digest.resize(size);
  return digest;
}

Bytes NameOf(ByteView public_area) {
  const uint16_t alg = ParsePublic(public_area).name_alg;
  const uint8_t prefix[] = {static_cast<uint8_t>(alg >> 8), static_cast<uint8_t>(alg)};
  return Concat({prefix, HashOf(alg, public_area)});
}

}  // namespace keyscope::cli
