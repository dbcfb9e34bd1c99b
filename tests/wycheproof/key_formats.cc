#include "tests/wycheproof/key_formats.h"

#include "token/crypto/der.h"

namespace keyscope::wycheproof {
namespace {

namespace der = crypto::der;

struct Curve {
  const char *sec, *fips;
  const char* oid;  // in hexadecimal
  size_t size;
};
constexpr Curve kCurves[] = {
    {"secp224r1", "P-224", "06052b81040021", 28},
    {"secp256r1", "P-256", "06082a8648ce3d030107", 32},
    {"secp384r1", "P-384", "06052b81040022", 48},
    {"secp521r1", "P-521", "06052b81040023", 66},
};

Bytes EcPublicKeyOid() { return FromHex("06072a8648ce3d0201"); }

// AlgorithmIdentifier { id-ecPublicKey, namedCurve }: the curve.
std::optional<Bytes> CurveOf(std::optional<ByteView> algorithm) {
  if (!algorithm) return std::nullopt;
  der::Reader reader(*algorithm);
  const auto type = reader.Whole(der::kOid), curve = reader.Whole(der::kOid);
  if (!type || !curve || !reader.Done() || !Equal(*type, EcPublicKeyOid())) return std::nullopt;
  return Copy(*curve);
}

std::string Base64Alphabet(const char* last_two) {
  return std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + last_two;
}

Bytes FromBase64(const std::string& text, const std::string& alphabet) {
  Bytes bytes;
  uint32_t bits = 0;
  size_t count = 0;
  for (char letter : text) {
    const size_t value = alphabet.find(letter);
    if (value == std::string::npos) continue;  // line ends and padding
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<uint8_t>(bits >> count));
  }
  return bytes;
}

}  // namespace

Bytes CurveParams(const std::string& name) {
  for (const Curve& curve : kCurves)
    if (name == curve.sec || name == curve.fips) return FromHex(curve.oid);
  throw Skip("curve " + name);
}

size_t OrderSize(ByteView params) {
  for (const Curve& curve : kCurves)
    if (Equal(params, FromHex(curve.oid))) return curve.size;
  throw Skip("curve " + Hex(params));
}

std::optional<EcPoint> PointOfPublicKeyInfo(ByteView encoded) {
  const auto info = der::Only(der::kSequence, encoded);
  if (!info) return std::nullopt;
  der::Reader reader(*info);
  auto params = CurveOf(reader.Content(der::kSequence));
  const auto bits = reader.Content(der::kBitString);
  if (!params || !bits || !reader.Done() || bits->empty() || bits->front() != 0)
    return std::nullopt;
  return EcPoint{std::move(*params), Copy(bits->subspan(1))};
}

std::optional<Bytes> ScalarOfPrivateKeyInfo(ByteView encoded) {
  const auto info = der::Only(der::kSequence, encoded);
  if (!info) return std::nullopt;
  der::Reader outer(*info);
  const auto version = outer.Unsigned();
  const auto params = CurveOf(outer.Content(der::kSequence));
  const auto wrapped = outer.Content(der::kOctetString);
  if (!version || !params || !wrapped) return std::nullopt;
  const auto key = der::Only(der::kSequence, *wrapped);
  if (!key) return std::nullopt;
  der::Reader inner(*key);
  const auto inner_version = inner.Unsigned(), scalar = inner.Content(der::kOctetString);
  if (!inner_version || !scalar) return std::nullopt;
  return Copy(*scalar);
}

std::optional<Bytes> FromPem(const std::string& pem) {
  const std::string dashes = "-----";
  const size_t begin = pem.find(dashes, pem.find(dashes) + dashes.size());
  const size_t end = pem.find(dashes, begin + dashes.size());
  if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
  return FromBase64(pem.substr(begin + dashes.size(), end - begin - dashes.size()),
                    Base64Alphabet("+/"));
}

Bytes FromBase64Url(const std::string& text) { return FromBase64(text, Base64Alphabet("-_")); }

std::optional<EcPoint> PointOfJwk(const Json& jwk) {
  if (!jwk.contains("crv") || !jwk.contains("x") || !jwk.contains("y")) return std::nullopt;
  static constexpr uint8_t kUncompressed[] = {4};
  return EcPoint{CurveParams(jwk.at("crv")),
                 Concat({kUncompressed, FromBase64Url(jwk.at("x")), FromBase64Url(jwk.at("y"))})};
}

std::optional<Bytes> EcdsaFromDer(ByteView encoded, size_t size) {
  const auto sequence = der::Only(der::kSequence, encoded);
  if (!sequence) return std::nullopt;
  der::Reader reader(*sequence);
  const auto r = reader.Unsigned(), s = reader.Unsigned();
  if (!r || !s || !reader.Done() || r->size() > size || s->size() > size) return std::nullopt;
  return Concat({PadLeft(*r, size), PadLeft(*s, size)});
}

}  // namespace keyscope::wycheproof
