#include "token/crypto/key_info.h"

#include "token/crypto/der.h"
#include "token/crypto/ec.h"
#include "token/crypto/rsa.h"

namespace keyscope::crypto {
namespace {

constexpr uint8_t kRsaEncryption[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                      0xf7, 0x0d, 0x01, 0x01, 0x01};
constexpr uint8_t kEcPublicKey[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
constexpr uint8_t kNoUnusedBits[] = {0};

// The AlgorithmIdentifiers are few, so they are compared whole: RSA, or EC with a curve.
Bytes RsaAlgorithm() {
  return der::Write(der::kSequence, {kRsaEncryption, der::Write(der::kNull, {})});
}
Bytes EcAlgorithm(tpm::Curve curve) {
  return der::Write(der::kSequence, {kEcPublicKey, Info(curve).oid});
}
std::optional<tpm::Curve> CurveOf(ByteView algorithm) {
  for (tpm::Curve curve : {tpm::Curve::P256, tpm::Curve::P384, tpm::Curve::P521})
    if (Equal(algorithm, EcAlgorithm(curve))) return curve;
  return std::nullopt;
}

std::optional<tpm::RsaPublic> DecodeRsaPublic(ByteView der) {
  auto content = der::Only(der::kSequence, der);
  if (!content) return std::nullopt;
  der::Reader reader(*content);
  auto modulus = reader.Unsigned();
  auto exponent = reader.Unsigned();
  if (!modulus || !exponent || !reader.Done()) return std::nullopt;
  return RsaPublicFrom(*modulus, *exponent);
}

std::optional<tpm::RsaPrivate> DecodeRsaPrivate(ByteView der) {
  auto content = der::Only(der::kSequence, der);
  if (!content) return std::nullopt;
  der::Reader reader(*content);
  // version, n, e, d, p, q and the three numbers that are computed from them.
  std::array<ByteView, 9> numbers;
  for (ByteView& number : numbers) {
    auto read = reader.Unsigned();
    if (!read) return std::nullopt;
    number = *read;
  }
  if (!reader.Done() || numbers[0].size() != 1 || numbers[0][0] != 0) return std::nullopt;
  return RsaPrivateFrom({.modulus = numbers[1],
                         .public_exponent = numbers[2],
                         .private_exponent = numbers[3],
                         .prime1 = numbers[4],
                         .prime2 = numbers[5]});
}

// The content of a BIT STRING of whole bytes.
std::optional<ByteView> WholeBytes(std::optional<ByteView> bit_string) {
  if (!bit_string || bit_string->empty() || bit_string->front() != 0) return std::nullopt;
  return bit_string->subspan(1);
}

std::optional<tpm::EcPrivate> DecodeEcPrivate(tpm::Curve curve, ByteView der) {
  auto content = der::Only(der::kSequence, der);
  if (!content) return std::nullopt;
  der::Reader reader(*content);
  auto version = reader.Unsigned();
  auto scalar = reader.Content(der::kOctetString);
  if (!version || version->size() != 1 || version->front() != 1 || !scalar) return std::nullopt;
  auto key = PrivateFromScalar(curve, *scalar);
  if (!key) return std::nullopt;

  if (reader.At(der::Context(0))) {
    auto params = reader.Content(der::Context(0));
    if (!params || CurveFromParams(*params) != curve) return std::nullopt;
  }
  if (reader.At(der::Context(1))) {
    auto wrapped = reader.Content(der::Context(1));
    auto point = WholeBytes(wrapped ? der::Only(der::kBitString, *wrapped) : std::nullopt);
    auto given = point ? DecodePoint(curve, *point) : std::nullopt;
    if (!given || given->x != key->public_key.x || given->y != key->public_key.y)
      return std::nullopt;
  }
  if (!reader.Done()) return std::nullopt;
  return key;
}

}  // namespace

Bytes EncodePublicKeyInfo(const tpm::PublicKey& key) {
  Bytes algorithm;
  Bytes bits;
  if (const auto* rsa = std::get_if<tpm::RsaPublic>(&key)) {
    algorithm = RsaAlgorithm();
    bits = der::Write(der::kSequence,
                      {der::WriteUnsigned(rsa->modulus), der::WriteUnsigned(rsa->exponent)});
  } else {
    const auto& ec = std::get<tpm::EcPublic>(key);
    algorithm = EcAlgorithm(ec.curve);
    bits = RawPoint(ec);
  }
  return der::Write(der::kSequence,
                    {algorithm, der::Write(der::kBitString, {kNoUnusedBits, bits})});
}

std::optional<tpm::PublicKey> DecodePublicKeyInfo(ByteView der) {
  auto content = der::Only(der::kSequence, der);
  if (!content) return std::nullopt;
  der::Reader reader(*content);
  auto algorithm = reader.Whole(der::kSequence);
  auto bits = WholeBytes(reader.Content(der::kBitString));
  if (!algorithm || !bits || !reader.Done()) return std::nullopt;
  if (Equal(*algorithm, RsaAlgorithm())) return DecodeRsaPublic(*bits);
  if (auto curve = CurveOf(*algorithm)) return DecodePoint(*curve, *bits);
  return std::nullopt;
}

std::optional<tpm::PrivateKey> DecodePrivateKeyInfo(ByteView der) {
  auto content = der::Only(der::kSequence, der);
  if (!content) return std::nullopt;
  der::Reader reader(*content);
  auto version = reader.Unsigned();
  auto algorithm = reader.Whole(der::kSequence);
  auto key = reader.Content(der::kOctetString);
  if (!version || version->size() != 1 || version->front() > 1 || !algorithm || !key)
    return std::nullopt;
  // Attributes, and in version 1 the public key again. They say nothing that is not in the key.
  reader.Whole(der::Context(0));
  if (version->front() == 1) reader.Whole(der::ContextPrimitive(1));
  if (!reader.Done()) return std::nullopt;
  if (Equal(*algorithm, RsaAlgorithm())) return DecodeRsaPrivate(*key);
  if (auto curve = CurveOf(*algorithm)) return DecodeEcPrivate(*curve, *key);
  return std::nullopt;
}

}  // namespace keyscope::crypto
