#include "tests/module/usual.h"

#include <algorithm>
#include <string>

#include "tests/module/openssl.h"
#include "token/mechanism_rules.h"

namespace keyscope::test {
namespace {

using token::Family;

const token::MechanismRule* RuleOf(CK_MECHANISM_TYPE type) {
  const auto rules = token::MechanismRules();
  auto found = std::ranges::find(rules, type, &token::MechanismRule::type);
  return found == rules.end() ? nullptr : &*found;
}

// SHA-256 where the mechanism brings no hash of its own.
const HashRow& HashOf(const token::MechanismRule& rule) {
  const std::string name = rule.name;
  for (const HashRow& hash : kHashes) {
    std::string part = hash.name;
    std::ranges::replace(part, '-', '_');
    if (name.starts_with("CKM_" + part + "_")) return hash;
  }
  return kSha256;
}

CK_ULONG SizeFor(CK_MECHANISM_TYPE type, KeySize size, CK_ULONG usual) {
  if (size == KeySize::Usual) return usual;
  CK_MECHANISM_INFO info{};
  EXPECT_OK(C_GetMechanismInfo(kMachineSlot, type, &info));
  return size == KeySize::Smallest ? info.ulMinKeySize : info.ulMaxKeySize;
}

const CurveRow& CurveOf(CK_ULONG bits) {
  return *std::ranges::find_if(
      Curves(), [=](const CurveRow& curve) { return curve.name == "P-" + std::to_string(bits); });
}

// Of OpenSSL's making: the TPM takes its time for large ones.
KeyPair NewRsaPair(CK_SESSION_HANDLE session, CK_ULONG bits) {
  const Key key = NewRsa(static_cast<unsigned>(bits));
  return {Create(session, PublicTemplate(key)), Create(session, PrivateTemplate(key))};
}

}  // namespace

Mechanism Usual(CK_MECHANISM_TYPE type, ByteView peer_point) {
  switch (type) {
    case CKM_AES_CBC:
    case CKM_AES_CBC_PAD:
    case CKM_AES_CFB128:
    case CKM_AES_OFB:
      return {type, Pattern(16)};
    case CKM_AES_CTR:
      return Ctr(Bytes(16, 0), 128);
    case CKM_AES_GCM:
      return Gcm(Pattern(12), {}, 128);
    case CKM_RSA_PKCS_OAEP:
      return Oaep(kSha256, kSha256);
    case CKM_HKDF_DERIVE:
      return Hkdf(kSha256, true, true, Pattern(8), Pattern(8));
    case CKM_SP800_108_COUNTER_KDF:
      return CounterKdf(CKM_SHA256_HMAC, {}, 32, Pattern(8));
    case CKM_ECDH1_DERIVE:
    case CKM_ECDH1_COFACTOR_DERIVE:
      return Ecdh(CKD_NULL, peer_point, {}, type);
    default:
      break;
  }
  const token::MechanismRule* rule = RuleOf(type);
  if (rule == nullptr) return type;
  const std::string name = rule->name;
  if (name.ends_with("_PSS")) {
    const HashRow& hash = HashOf(*rule);
    return Pss(type, hash, hash, 20);
  }
  if (name.ends_with("_GENERAL")) return {type, BytesOf(CK_ULONG{8})};
  return type;
}

UsualKeys::UsualKeys(CK_SESSION_HANDLE session, KeySize size) {
  const Attributes derive{{CKA_DERIVE, true}};
  rsa_ = NewRsaPair(session, SizeFor(CKM_RSA_PKCS, size, 2048));
  ec_ = GenerateEc(session, CurveOf(SizeFor(CKM_ECDSA, size, 256)), derive);
  const CK_ULONG aes = SizeFor(CKM_AES_ECB, size, 16);
  aes_.public_key = aes_.private_key = ImportAes(session, Pattern(aes));
  const CK_ULONG generic = SizeFor(CKM_SHA256_HMAC, size, 32);
  generic_.public_key = generic_.private_key = ImportSecret(session, Pattern(generic), derive);
  point_ = Get(session, ec_.public_key, CKA_EC_POINT);
}

KeyPair UsualKeys::For(CK_MECHANISM_TYPE type) const {
  const token::MechanismRule* rule = RuleOf(type);
  switch (rule == nullptr ? Family::None : rule->family) {
    case Family::Rsa:
      return rsa_;
    case Family::Ec:
      return ec_;
    case Family::Aes:
      return aes_;
    case Family::Generic:
    case Family::AnySecret:
      return generic_;
    default:
      return {};
  }
}

}  // namespace keyscope::test
