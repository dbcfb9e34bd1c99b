#include "tests/fuzz/cryptoki_input.h"

#include "p11/keyscope.h"
#include "token/attribute_rules.h"
#include "token/mechanism_rules.h"

namespace keyscope::fuzz {
namespace {

constexpr CK_ULONG kAbsurd = ~CK_ULONG{0} / 2;

Argument Of(Bytes& block) { return {block.data(), block.size()}; }

template <typename T>
Argument OfStruct(Arena& arena, const T& value) {
  return {reinterpret_cast<CK_BYTE_PTR>(&arena.Keep(value)), sizeof value};
}

Argument TakeBool(Input& in, Arena& arena) { return Of(arena.Keep(in.Take(1))); }
Argument TakeUlong(Input& in, Arena& arena) { return OfStruct(arena, CK_ULONG{in.Number()}); }
Argument TakeBytes(Input& in, Arena& arena) { return Of(arena.Keep(in.Chunk())); }
Argument TakeUlongs(Input& in, Arena& arena) {
  Bytes& block = arena.Room(sizeof(CK_ULONG) * (in.Byte() % 8));
  const std::span ulongs(reinterpret_cast<CK_ULONG*>(block.data()),
                         block.size() / sizeof(CK_ULONG));
  for (CK_ULONG& ulong : ulongs) ulong = in.Number();
  return Of(block);
}

// ---- mechanism parameters ----

CK_MECHANISM_TYPE TakeHash(Input& in) {
  static constexpr CK_MECHANISM_TYPE kHashes[] = {CKM_SHA_1,  CKM_SHA224, CKM_SHA256,
                                                  CKM_SHA384, CKM_SHA512, CKM_SHA3_256};
  return in.OneIn(8) ? in.Number() : in.Pick(std::span(kHashes));
}
CK_RSA_PKCS_MGF_TYPE TakeMgf(Input& in) { return in.OneIn(8) ? in.Number() : 1 + in.Byte() % 9; }

Argument TakePss(Input& in, Arena& arena) {
  return OfStruct(arena, CK_RSA_PKCS_PSS_PARAMS{TakeHash(in), TakeMgf(in), in.Number()});
}
Argument TakeOaep(Input& in, Arena& arena) {
  const Argument label = TakeArgument(in, arena);
  return OfStruct(arena, CK_RSA_PKCS_OAEP_PARAMS{TakeHash(in), TakeMgf(in), in.Byte() % 3u,
                                                 label.data, label.size});
}
Argument TakeGcm(Input& in, Arena& arena) {
  const Argument iv = TakeArgument(in, arena);
  const Argument aad = TakeArgument(in, arena);
  return OfStruct(arena, GcmParams{iv.data, iv.size, in.Number(), aad.data, aad.size, in.Number()});
}
Argument TakeCtr(Input& in, Arena& arena) {
  CK_AES_CTR_PARAMS params{.ulCounterBits = in.Number(), .cb = {}};
  std::ranges::copy(in.Take(sizeof params.cb), params.cb);
  return OfStruct(arena, params);
}
Argument TakeEcdh(Input& in, Arena& arena) {
  const Argument info = TakeArgument(in, arena);
  const Argument peer = TakeArgument(in, arena);
  return OfStruct(
      arena, CK_ECDH1_DERIVE_PARAMS{in.Byte() % 12u, info.size, info.data, peer.size, peer.data});
}
Argument TakeHkdf(Input& in, Arena& arena) {
  const Argument salt = TakeArgument(in, arena);
  const Argument info = TakeArgument(in, arena);
  return OfStruct(arena, CK_HKDF_PARAMS{.bExtract = in.Byte(),
                                        .bExpand = in.Byte(),
                                        .prfHashMechanism = TakeHash(in),
                                        .ulSaltType = in.Byte() % 5u,
                                        .pSalt = salt.data,
                                        .ulSaltLen = salt.size,
                                        .hSaltKey = in.Number(),
                                        .pInfo = info.data,
                                        .ulInfoLen = info.size});
}

// ---- attribute values ----

Argument TakeNested(Input& in, Arena& arena) {
  std::vector<CK_ATTRIBUTE> inner;
  if (!in.Done()) inner = TakeTemplate(in, arena);
  const auto* bytes = reinterpret_cast<const uint8_t*>(inner.data());
  return Of(arena.Keep(ByteView(bytes, inner.size() * sizeof(CK_ATTRIBUTE))));
}

using Taker = Argument (*)(Input&, Arena&);

// Parameters with pointers in them. A mechanism that takes one never gets another shape of its
// size: a pointer made of chance would be the caller's own fault.
constexpr struct {
  CK_MECHANISM_TYPE first, last;
  Taker take;
} kStructures[] = {
    {CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_OAEP, TakeOaep},
    {CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE, TakeEcdh},
    {CKM_AES_GCM, CKM_AES_GCM, TakeGcm},
    {CKM_HKDF_DERIVE, CKM_HKDF_DATA, TakeHkdf},
};
constexpr size_t kSmallestStructure = sizeof(CK_RSA_PKCS_OAEP_PARAMS);

Argument TakeSmall(Input& in, Arena& arena) {
  const ByteView chunk = in.Chunk();
  return Of(arena.Keep(chunk.first(std::min(chunk.size(), kSmallestStructure - 1))));
}
constexpr Taker kFlat[] = {TakeSmall, TakeUlong, TakePss, TakeCtr};

Argument TakeParameter(CK_MECHANISM_TYPE type, Input& in, Arena& arena) {
  if (in.OneIn(8)) return in.Pick(std::span(kFlat))(in, arena);
  for (const auto& row : kStructures)
    if (row.first <= type && type <= row.last) return row.take(in, arena);
  return in.Pick(std::span(kFlat))(in, arena);
}

// The shape that an attribute of this type has; any shape for one that is unknown.
Taker ShapeOf(CK_ATTRIBUTE_TYPE type, Input& in) {
  static constexpr Taker kShapes[] = {TakeBool, TakeUlong, TakeBytes, TakeUlongs, TakeNested};
  const token::AttributeRule* rule = token::FindRule(type);
  const bool mechanisms = rule != nullptr && rule->value == token::ValueKind::MechanismList;
  if ((type & CKF_ARRAY_ATTRIBUTE) != 0 && !mechanisms) return TakeNested;
  if (rule == nullptr || in.OneIn(16)) return in.Pick(std::span(kShapes));
  switch (rule->value) {
    case token::ValueKind::Bool:
      return TakeBool;
    case token::ValueKind::Ulong:
      return TakeUlong;
    case token::ValueKind::MechanismList:
      return TakeUlongs;
    default:
      return TakeBytes;
  }
}

}  // namespace

Argument TakeArgument(Input& in, Arena& arena) {
  switch (in.Byte() % 16) {
    case 1:
      return {nullptr, 0};
    case 2:
      return {nullptr, in.Number()};
    case 3:
      return {arena.Keep(in.Chunk()).data(), kAbsurd + in.Byte()};
    default:
      return TakeBytes(in, arena);
  }
}

std::vector<CK_ATTRIBUTE> TakeTemplate(Input& in, Arena& arena) {
  std::vector<CK_ATTRIBUTE> attributes(in.Byte() % 24);
  for (CK_ATTRIBUTE& attribute : attributes) {
    attribute.type = in.OneIn(16) ? in.Number() : in.Pick(token::AttributeRules()).type;
    const Argument value = ShapeOf(attribute.type, in)(in, arena);
    attribute.pValue = value.data;
    attribute.ulValueLen = value.size;
    if (in.OneIn(32)) attribute.pValue = nullptr;
    if (in.OneIn(64)) attribute.ulValueLen = kAbsurd + in.Byte();
  }
  return attributes;
}

CK_MECHANISM TakeMechanism(Input& in, Arena& arena, std::optional<CK_MECHANISM_TYPE> type) {
  CK_MECHANISM mechanism{};
  mechanism.mechanism = type           ? *type
                        : in.OneIn(16) ? in.Number()
                                       : in.Pick(token::MechanismRules()).type;
  const Argument parameter = TakeParameter(mechanism.mechanism, in, arena);
  mechanism.pParameter = parameter.data;
  mechanism.ulParameterLen = parameter.size;
  if (in.OneIn(32)) mechanism.pParameter = nullptr;
  return mechanism;
}

}  // namespace keyscope::fuzz
