#include "tests/module/usual.h"

#include <algorithm>
#include <string>

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
    return Pss(type, hash, hash, hash.size);
  }
  if (name.ends_with("_GENERAL")) return {type, BytesOf(CK_ULONG{8})};
  return type;
}

UsualKeys::UsualKeys(CK_SESSION_HANDLE session) {
  const Attributes derive{{CKA_DERIVE, true}};
  rsa_ = GenerateRsa(session);
  ec_ = GenerateEc(session, P256(), derive);
  aes_.public_key = aes_.private_key = ImportAes(session, Pattern(16));
  generic_.public_key = generic_.private_key = ImportSecret(session, Pattern(32), derive);
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
      return generic_;
    default:
      return {};
  }
}

}  // namespace keyscope::test
