#include "token/crypto/ec.h"

#include <openssl/obj_mac.h>

#include <algorithm>

#include "token/crypto/bignum.h"
#include "token/crypto/check.h"
#include "token/crypto/der.h"

namespace keyscope::crypto {
namespace {

using tpm::Curve;

constexpr uint8_t kP256Oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr uint8_t kP384Oid[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr uint8_t kP521Oid[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

constexpr std::array<CurveInfo, 3> kCurves = {{
    {Curve::P256, NID_X9_62_prime256v1, {"secp256r1", "prime256v1", "P-256"}, kP256Oid, 256},
    {Curve::P384, NID_secp384r1, {"secp384r1", "P-384"}, kP384Oid, 384},
    {Curve::P521, NID_secp521r1, {"secp521r1", "P-521"}, kP521Oid, 521},
}};

constexpr uint8_t kUncompressed = 4;

ossl::Point NewPoint(const EC_GROUP* group) {
  ossl::Point point(EC_POINT_new(group));
  Check(point != nullptr, "EC_POINT_new");
  return point;
}

tpm::EcPublic Coordinates(const CurveInfo& info, const EC_POINT* point, BN_CTX* context) {
  ossl::Bn x = NewNumber();
  ossl::Bn y = NewNumber();
  Check(EC_POINT_get_affine_coordinates(Group(info.curve), point, x.get(), y.get(), context) == 1,
        "EC_POINT_get_affine_coordinates");
  return {info.curve, ToBytes(x.get(), info.field_size()), ToBytes(y.get(), info.field_size())};
}

}  // namespace

const CurveInfo& Info(Curve curve) {
  for (const CurveInfo& info : kCurves)
    if (info.curve == curve) return info;
  throw Error(Fault::Internal, "no such curve");
}

const EC_GROUP* Group(Curve curve) {
  struct Groups {
    std::array<EC_GROUP*, kCurves.size()> of;
    Groups() {
      std::ranges::transform(kCurves, of.begin(), [](const CurveInfo& info) {
        return EC_GROUP_new_by_curve_name_ex(ossl::Context(), nullptr, info.nid);
      });
    }
  };
  static const auto& groups = *new Groups;
  const EC_GROUP* group = groups.of.at(static_cast<size_t>(&Info(curve) - kCurves.data()));
  Check(group != nullptr, "EC_GROUP_new_by_curve_name_ex");
  return group;
}

std::optional<Curve> CurveFromParams(ByteView der) {
  auto name = der::Only(der::kPrintableString, der);
  for (const CurveInfo& info : kCurves) {
    if (Equal(der, info.oid)) return info.curve;
    if (name && !name->empty() && std::ranges::count(info.names, AsString(*name)) != 0)
      return info.curve;
  }
  return std::nullopt;
}

Bytes ParamsOf(Curve curve) { return Copy(Info(curve).oid); }

std::optional<tpm::EcPublic> DecodePoint(Curve curve, ByteView encoded) {
  const CurveInfo& info = Info(curve);
  const size_t uncompressed = 1 + 2 * info.field_size();
  const size_t compressed = 1 + info.field_size();
  // A raw point may start like an OCTET STRING, but never has the length of a wrapped one.
  ByteView point = encoded;
  if (encoded.size() != uncompressed && encoded.size() != compressed)
    point = der::Only(der::kOctetString, encoded).value_or(ByteView());
  const bool well_formed = (point.size() == uncompressed && point[0] == kUncompressed) ||
                           (point.size() == compressed && (point[0] == 2 || point[0] == 3));
  if (!well_formed) return std::nullopt;

  const QuietErrors quiet;
  ossl::BnCtx context = NewBnCtx();
  ossl::Point decoded = NewPoint(Group(curve));
  if (EC_POINT_oct2point(Group(curve), decoded.get(), point.data(), point.size(), context.get()) !=
      1)
    return std::nullopt;
  return Coordinates(info, decoded.get(), context.get());
}

Bytes EncodePoint(const tpm::EcPublic& key) {
  return der::Write(der::kOctetString, {RawPoint(key)});
}

Bytes RawPoint(const tpm::EcPublic& key) {
  static constexpr uint8_t kForm[] = {kUncompressed};
  return Concat({kForm, key.x, key.y});
}

std::optional<tpm::EcPrivate> PrivateFromScalar(Curve curve, ByteView scalar) {
  const CurveInfo& info = Info(curve);
  while (scalar.size() > info.field_size() && scalar[0] == 0) scalar = scalar.subspan(1);
  if (scalar.size() > info.field_size()) return std::nullopt;
  ossl::Bn number = SecretNumber(scalar);
  const EC_GROUP* group = Group(curve);
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group)) >= 0)
    return std::nullopt;

  ossl::BnCtx context = NewBnCtx();
  ossl::Point point = NewPoint(group);
  Check(EC_POINT_mul(group, point.get(), number.get(), nullptr, nullptr, context.get()) == 1,
        "EC_POINT_mul");
  return tpm::EcPrivate{Coordinates(info, point.get(), context.get()),
                        SecretBytes(ToBytes(number.get(), info.field_size()))};
}

}  // namespace keyscope::crypto
