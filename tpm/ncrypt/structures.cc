#include "tpm/ncrypt/structures.h"

#include <algorithm>

#include "base/error.h"
#include "base/ossl.h"

namespace keyscope::tpm::ncrypt {
namespace {

constexpr uint32_t kRestricted = 1U << 16, kDecrypt = 1U << 17, kSign = 1U << 18;  // TPMA_OBJECT
constexpr uint16_t kAes = 0x0006, kCfb = 0x0043;
constexpr uint32_t kF4 = 65537;

struct CurveRow {
  uint16_t id;  // TPM_ECC_CURVE (section 6.4)
  Curve curve;
};
constexpr CurveRow kCurves[] = {{3, Curve::P256}, {4, Curve::P384}, {5, Curve::P521}};

struct HashRow {
  Hash hash;
  uint16_t alg;
};
constexpr HashRow kHashes[] = {{Hash::Sha1, kAlgSha1},
                               {Hash::Sha256, kAlgSha256},
                               {Hash::Sha384, kAlgSha384},
                               {Hash::Sha512, kAlgSha512}};

[[noreturn]] void Malformed() {
  throw Error(Fault::Corrupt, "a structure of the TPM does not decode");
}

// Skips what an algorithm has besides its name.
uint16_t SkipScheme(Reader& reader) {
  const uint16_t scheme = reader.U16();
  if (scheme != kAlgNull) reader.U16();
  if (scheme == kAlgEcdaa) reader.U16();
  return scheme;
}

PublicKey ReadRsa(Reader& reader) {
  reader.U16();  // keyBits
  const uint32_t exponent = reader.Number(4);
  Bytes number;
  AppendNumber(number, exponent == 0 ? kF4 : exponent, 4);
  return RsaPublic{StripLeadingZeros(reader.Sized()), StripLeadingZeros(number)};
}

PublicKey ReadEc(Reader& reader) {
  const uint16_t id = reader.U16();
  const CurveRow* row = std::ranges::find(kCurves, id, &CurveRow::id);
  if (row == std::end(kCurves)) Malformed();
  SkipScheme(reader);  // kdf
  const size_t field = FieldSize(row->curve);
  const auto coordinate = [&] {
    const Bytes number = StripLeadingZeros(reader.Sized());
    if (number.size() > field) Malformed();
    return PadLeft(number, field);
  };
  Bytes x = coordinate(), y = coordinate();
  return EcPublic{row->curve, std::move(x), std::move(y)};
}

}  // namespace

uint16_t AlgOf(Hash hash) {
  const HashRow* row = std::ranges::find(kHashes, hash, &HashRow::hash);
  return row != std::end(kHashes) ? row->alg : kAlgNull;
}

uint32_t Reader::Number(size_t size) {
  uint32_t number = 0;
  for (uint8_t byte : Take(size)) number = number << 8 | byte;
  return number;
}

ByteView Reader::Take(size_t size) {
  if (size > rest_.size()) Malformed();
  const ByteView taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

void Reader::End() const {
  if (!rest_.empty()) Malformed();
}

void AppendNumber(Bytes& to, uint32_t number, size_t size) {
  while (size-- > 0) to.push_back(static_cast<uint8_t>(number >> (8 * size)));
}

void AppendSized(Bytes& to, ByteView bytes) {
  AppendNumber(to, static_cast<uint32_t>(bytes.size()), 2);
  Append(to, bytes);
}

PublicArea ParsePublic(ByteView tpmt_public) {
  Reader reader(tpmt_public);
  const uint16_t type = reader.U16();
  reader.U16();  // nameAlg
  const uint32_t attributes = reader.Number(4);
  PublicArea area{.restricted = (attributes & kRestricted) != 0,
                  .decrypts = (attributes & kDecrypt) != 0,
                  .signs = (attributes & kSign) != 0,
                  .key = {}};
  reader.Sized();                                // authPolicy
  if (reader.U16() != kAlgNull) reader.Take(4);  // symmetric: keyBits, mode
  SkipScheme(reader);
  if (type == kAlgRsa)
    area.key = ReadRsa(reader);
  else if (type == kAlgEcc)
    area.key = ReadEc(reader);
  else
    Malformed();
  reader.End();
  return area;
}

ByteView TpmtOf(ByteView tpm2b_public) {
  Reader reader(tpm2b_public);
  const ByteView area = reader.Sized();
  reader.End();
  return area;
}

Bytes NameOf(ByteView tpmt_public) {
  Bytes name;
  AppendNumber(name, kAlgSha256, 2);
  name.resize(2 + 32);
  ossl::Check(EVP_Digest(tpmt_public.data(), tpmt_public.size(), name.data() + 2, nullptr,
                         ossl::Digest("SHA256"), nullptr) == 1,
              "SHA-256");
  return name;
}

Bytes EndorsementArea(const PublicKey& key) {
  static constexpr uint8_t kPolicy[] = {// PolicySecret(endorsement)
                                        0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8,
                                        0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
                                        0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64,
                                        0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};
  constexpr uint32_t kAttributes = 0x000300B2;
  const auto* rsa = std::get_if<RsaPublic>(&key);
  Bytes area;
  AppendNumber(area, rsa != nullptr ? kAlgRsa : kAlgEcc, 2);
  AppendNumber(area, kAlgSha256, 2);
  AppendNumber(area, kAttributes, 4);
  AppendSized(area, kPolicy);
  for (uint16_t part : {kAes, uint16_t{128}, kCfb, kAlgNull}) AppendNumber(area, part, 2);
  if (rsa != nullptr) {
    AppendNumber(area, static_cast<uint32_t>(rsa->modulus.size() * 8), 2);
    AppendNumber(area, 0, 4);  // the exponent, the usual one
    AppendSized(area, rsa->modulus);
    return area;
  }
  const auto& ec = std::get<EcPublic>(key);
  AppendNumber(area, std::ranges::find(kCurves, ec.curve, &CurveRow::curve)->id, 2);
  AppendNumber(area, kAlgNull, 2);  // kdf
  AppendSized(area, ec.x);
  AppendSized(area, ec.y);
  return area;
}

}  // namespace keyscope::tpm::ncrypt
