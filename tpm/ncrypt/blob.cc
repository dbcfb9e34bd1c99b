#include "tpm/ncrypt/blob.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace keyscope::tpm::ncrypt {
namespace {

constexpr uint8_t kNamed = 'N', kOpaque = 'O';
constexpr wchar_t kPrefix[] = L"keyscope-";

// PCP_KEY_BLOB_WIN8 begins with these (little-endian); newer ones have more behind them.
struct PcpHeader {
  uint32_t magic, header_size, tpm_type, flags, public_size, private_size;
};
constexpr uint32_t kPcpMagic = 0x4D504350, kTpm20 = 2;

// BCRYPT_RSAKEY_BLOB and BCRYPT_ECCKEY_BLOB.
struct RsaHeader {
  uint32_t magic, bits, exponent_size, modulus_size, prime1_size, prime2_size;
};
constexpr uint32_t kRsaPublic = 0x31415352;  // RSA1
struct EcHeader {
  uint32_t magic, field_size;
};
struct CurveRow {
  Curve curve;
  uint32_t ecdh, ecdsa;  // BCRYPT_ECDH_PUBLIC_*_MAGIC, BCRYPT_ECDSA_PUBLIC_*_MAGIC
};
constexpr CurveRow kCurves[] = {{Curve::P256, 0x314B4345, 0x31534345},
                                {Curve::P384, 0x334B4345, 0x33534345},
                                {Curve::P521, 0x354B4345, 0x35534345}};

[[noreturn]] void Malformed(const char* what) {
  throw Error(Fault::Corrupt, std::string(what) + " does not decode");
}

// Of structures in this machine's byte order.
template <typename T>
T TakeHeader(ByteView& bytes, const char* what) {
  T header;
  if (bytes.size() < sizeof header) Malformed(what);
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes = bytes.subspan(sizeof header);
  return header;
}

ByteView TakeBytes(ByteView& bytes, size_t size, const char* what) {
  if (bytes.size() < size) Malformed(what);
  const ByteView taken = bytes.first(size);
  bytes = bytes.subspan(size);
  return taken;
}

KeyBlob Tagged(uint8_t tag, Bytes public_area, ByteView rest) {
  return {std::move(public_area), Concat({{&tag, 1}, rest})};
}

}  // namespace

std::wstring NameFromUid(ByteView uid) {
  const std::string hex = Hex(uid);
  return kPrefix + std::wstring(hex.begin(), hex.end());
}

bool IsOurs(const std::wstring& name) {
  constexpr std::wstring_view kHexDigits = L"0123456789abcdef";
  return name.starts_with(kPrefix) &&
         name.find_first_not_of(kHexDigits, std::size(kPrefix) - 1) == name.npos;
}

Bytes NameToBytes(const std::wstring& name) { return {name.begin(), name.end()}; }

std::wstring NameFromBytes(ByteView bytes) {
  std::wstring name(bytes.begin(), bytes.end());
  if (!IsOurs(name)) Malformed("the name of a key");
  return name;
}

KeyBlob NamedBlob(Bytes public_area, const std::wstring& name) {
  return Tagged(kNamed, std::move(public_area), NameToBytes(name));
}

KeyBlob OpaqueBlob(Bytes public_area, ByteView opaque) {
  return Tagged(kOpaque, std::move(public_area), opaque);
}

PrivateHalf ParsePrivate(const KeyBlob& blob) {
  const ByteView bytes = blob.private_area;
  if (bytes.size() < 2) Malformed("the private half of a key");
  const ByteView rest = bytes.subspan(1);
  if (bytes[0] == kNamed) return {NameFromBytes(rest), {}};
  if (bytes[0] == kOpaque) return {{}, rest};
  Malformed("the private half of a key");
}

Bytes PublicInOpaque(ByteView opaque) {
  constexpr char kWhat[] = "the provider's blob of a key";
  ByteView rest = opaque;
  const auto header = TakeHeader<PcpHeader>(rest, kWhat);
  if (header.magic != kPcpMagic || header.tpm_type != kTpm20) Malformed(kWhat);
  rest = opaque;
  TakeBytes(rest, header.header_size, kWhat);
  return Copy(TakeBytes(rest, header.public_size, kWhat));
}

PublicKey FromRsaBlob(ByteView blob) {
  constexpr char kWhat[] = "an RSA public key";
  const auto header = TakeHeader<RsaHeader>(blob, kWhat);
  if (header.magic != kRsaPublic) Malformed(kWhat);
  Bytes exponent = StripLeadingZeros(TakeBytes(blob, header.exponent_size, kWhat));
  return RsaPublic{StripLeadingZeros(TakeBytes(blob, header.modulus_size, kWhat)),
                   std::move(exponent)};
}

PublicKey FromEcBlob(ByteView blob) {
  constexpr char kWhat[] = "an EC public key";
  const auto header = TakeHeader<EcHeader>(blob, kWhat);
  const CurveRow* row = std::ranges::find_if(kCurves, [&](const CurveRow& one) {
    return one.ecdh == header.magic || one.ecdsa == header.magic;
  });
  if (row == std::end(kCurves) || header.field_size != FieldSize(row->curve)) Malformed(kWhat);
  const ByteView x = TakeBytes(blob, header.field_size, kWhat);
  return EcPublic{row->curve, Copy(x), Copy(TakeBytes(blob, header.field_size, kWhat))};
}

Bytes EcdhBlob(const EcPublic& point) {
  const EcHeader header{std::ranges::find(kCurves, point.curve, &CurveRow::curve)->ecdh,
                        static_cast<uint32_t>(FieldSize(point.curve))};
  return Concat({{reinterpret_cast<const uint8_t*>(&header), sizeof header}, point.x, point.y});
}

}  // namespace keyscope::tpm::ncrypt
