#include "token/mechanism_rules.h"

#include <algorithm>

#include "p11/keyscope.h"
#include "token/crypto/ec.h"
#include "token/op_kind.h"
#include "token/schemes.h"
#include "token/secret_key.h"

namespace keyscope::token {
namespace {

using enum tpm::Hash;
constexpr Family NoKey = Family::None, RsaKey = Family::Rsa, EcKey = Family::Ec,
                 AesKey = Family::Aes, SecretKey = Family::Generic,
                 AnySecretKey = Family::AnySecret, AttestationKey = Family::Attestation;

#define ROW(type) type, #type

constexpr MechanismRule kMechanismRules[] = {
    {ROW(CKM_SHA_1), NoKey, Sha1, &kDigest},
    {ROW(CKM_SHA224), NoKey, Sha224, &kDigest},
    {ROW(CKM_SHA256), NoKey, Sha256, &kDigest},
    {ROW(CKM_SHA384), NoKey, Sha384, &kDigest},
    {ROW(CKM_SHA512), NoKey, Sha512, &kDigest},
    {ROW(CKM_SHA3_224), NoKey, Sha3_224, &kDigest},
    {ROW(CKM_SHA3_256), NoKey, Sha3_256, &kDigest},
    {ROW(CKM_SHA3_384), NoKey, Sha3_384, &kDigest},
    {ROW(CKM_SHA3_512), NoKey, Sha3_512, &kDigest},

    {ROW(CKM_RSA_PKCS_KEY_PAIR_GEN), RsaKey, None, &kRsaKeyPair},
    {ROW(CKM_RSA_PKCS), RsaKey, None, &kRsaPkcs1},
    {ROW(CKM_RSA_X_509), RsaKey, None, &kRsaRaw},
    {ROW(CKM_RSA_PKCS_OAEP), RsaKey, None, &kRsaOaep},
    {ROW(CKM_SHA1_RSA_PKCS), RsaKey, Sha1, &kRsaPkcs1Signature},
    {ROW(CKM_SHA224_RSA_PKCS), RsaKey, Sha224, &kRsaPkcs1Signature},
    {ROW(CKM_SHA256_RSA_PKCS), RsaKey, Sha256, &kRsaPkcs1Signature},
    {ROW(CKM_SHA384_RSA_PKCS), RsaKey, Sha384, &kRsaPkcs1Signature},
    {ROW(CKM_SHA512_RSA_PKCS), RsaKey, Sha512, &kRsaPkcs1Signature},
    {ROW(CKM_SHA3_224_RSA_PKCS), RsaKey, Sha3_224, &kRsaPkcs1Signature},
    {ROW(CKM_SHA3_256_RSA_PKCS), RsaKey, Sha3_256, &kRsaPkcs1Signature},
    {ROW(CKM_SHA3_384_RSA_PKCS), RsaKey, Sha3_384, &kRsaPkcs1Signature},
    {ROW(CKM_SHA3_512_RSA_PKCS), RsaKey, Sha3_512, &kRsaPkcs1Signature},
    {ROW(CKM_RSA_PKCS_PSS), RsaKey, None, &kRsaPss},
    {ROW(CKM_SHA1_RSA_PKCS_PSS), RsaKey, Sha1, &kRsaPss},
    {ROW(CKM_SHA224_RSA_PKCS_PSS), RsaKey, Sha224, &kRsaPss},
    {ROW(CKM_SHA256_RSA_PKCS_PSS), RsaKey, Sha256, &kRsaPss},
    {ROW(CKM_SHA384_RSA_PKCS_PSS), RsaKey, Sha384, &kRsaPss},
    {ROW(CKM_SHA512_RSA_PKCS_PSS), RsaKey, Sha512, &kRsaPss},
    {ROW(CKM_SHA3_224_RSA_PKCS_PSS), RsaKey, Sha3_224, &kRsaPss},
    {ROW(CKM_SHA3_256_RSA_PKCS_PSS), RsaKey, Sha3_256, &kRsaPss},
    {ROW(CKM_SHA3_384_RSA_PKCS_PSS), RsaKey, Sha3_384, &kRsaPss},
    {ROW(CKM_SHA3_512_RSA_PKCS_PSS), RsaKey, Sha3_512, &kRsaPss},

    {ROW(CKM_EC_KEY_PAIR_GEN), EcKey, None, &kEcKeyPair},
    {ROW(CKM_ECDSA), EcKey, None, &kEcdsa},
    {ROW(CKM_ECDSA_SHA1), EcKey, Sha1, &kEcdsa},
    {ROW(CKM_ECDSA_SHA224), EcKey, Sha224, &kEcdsa},
    {ROW(CKM_ECDSA_SHA256), EcKey, Sha256, &kEcdsa},
    {ROW(CKM_ECDSA_SHA384), EcKey, Sha384, &kEcdsa},
    {ROW(CKM_ECDSA_SHA512), EcKey, Sha512, &kEcdsa},
    {ROW(CKM_ECDSA_SHA3_224), EcKey, Sha3_224, &kEcdsa},
    {ROW(CKM_ECDSA_SHA3_256), EcKey, Sha3_256, &kEcdsa},
    {ROW(CKM_ECDSA_SHA3_384), EcKey, Sha3_384, &kEcdsa},
    {ROW(CKM_ECDSA_SHA3_512), EcKey, Sha3_512, &kEcdsa},
    {ROW(CKM_ECDH1_DERIVE), EcKey, None, &kEcdhDerive},
    {ROW(CKM_ECDH1_COFACTOR_DERIVE), EcKey, None,
     &kEcdhDerive},  // the cofactor of the NIST curves is 1

    {ROW(CKM_AES_KEY_GEN), AesKey, None, &kAesKey},
    {ROW(CKM_AES_ECB), AesKey, None, &kAesEcb},
    {ROW(CKM_AES_CBC), AesKey, None, &kAesCbc},
    {ROW(CKM_AES_CBC_PAD), AesKey, None, &kAesCbcPad},
    {ROW(CKM_AES_CTR), AesKey, None, &kAesCtr},
    {ROW(CKM_AES_CFB128), AesKey, None, &kAesCfb128},
    {ROW(CKM_AES_OFB), AesKey, None, &kAesOfb},
    {ROW(CKM_AES_GCM), AesKey, None, &kAesGcm},
    {ROW(CKM_AES_CMAC), AesKey, None, &kAesCmac},
    {ROW(CKM_AES_CMAC_GENERAL), AesKey, None, &kAesCmacGeneral},
    {ROW(CKM_AES_KEY_WRAP), AesKey, None, &kAesKeyWrap},
    {ROW(CKM_AES_KEY_WRAP_KWP), AesKey, None, &kAesKeyWrapPadded},

    {ROW(CKM_GENERIC_SECRET_KEY_GEN), SecretKey, None, &kGenericKey},
    {ROW(CKM_SHA_1_HMAC), SecretKey, Sha1, &kHmac},
    {ROW(CKM_SHA224_HMAC), SecretKey, Sha224, &kHmac},
    {ROW(CKM_SHA256_HMAC), SecretKey, Sha256, &kHmac},
    {ROW(CKM_SHA384_HMAC), SecretKey, Sha384, &kHmac},
    {ROW(CKM_SHA512_HMAC), SecretKey, Sha512, &kHmac},
    {ROW(CKM_SHA3_224_HMAC), SecretKey, Sha3_224, &kHmac},
    {ROW(CKM_SHA3_256_HMAC), SecretKey, Sha3_256, &kHmac},
    {ROW(CKM_SHA3_384_HMAC), SecretKey, Sha3_384, &kHmac},
    {ROW(CKM_SHA3_512_HMAC), SecretKey, Sha3_512, &kHmac},
    {ROW(CKM_SHA_1_HMAC_GENERAL), SecretKey, Sha1, &kHmacGeneral},
    {ROW(CKM_SHA224_HMAC_GENERAL), SecretKey, Sha224, &kHmacGeneral},
    {ROW(CKM_SHA256_HMAC_GENERAL), SecretKey, Sha256, &kHmacGeneral},
    {ROW(CKM_SHA384_HMAC_GENERAL), SecretKey, Sha384, &kHmacGeneral},
    {ROW(CKM_SHA512_HMAC_GENERAL), SecretKey, Sha512, &kHmacGeneral},
    {ROW(CKM_SHA3_224_HMAC_GENERAL), SecretKey, Sha3_224, &kHmacGeneral},
    {ROW(CKM_SHA3_256_HMAC_GENERAL), SecretKey, Sha3_256, &kHmacGeneral},
    {ROW(CKM_SHA3_384_HMAC_GENERAL), SecretKey, Sha3_384, &kHmacGeneral},
    {ROW(CKM_SHA3_512_HMAC_GENERAL), SecretKey, Sha3_512, &kHmacGeneral},
    {ROW(CKM_HKDF_DERIVE), SecretKey, None, &kHkdfDerive},
    {ROW(CKM_SP800_108_COUNTER_KDF), AnySecretKey, None, &kCounterKdf},

    {ROW(CKM_KEYSCOPE_CERTIFY), AttestationKey, None, &kCertify},
    {ROW(CKM_KEYSCOPE_QUOTE), AttestationKey, None, &kQuote},
    {ROW(CKM_KEYSCOPE_ACTIVATE_CREDENTIAL), AttestationKey, None, &kActivateCredential},
};
#undef ROW

CK_FLAGS FlagsOf(const Scheme& scheme) {
  const std::pair<bool, CK_FLAGS> flags[] = {
      {scheme.generate_pair != nullptr, CKF_GENERATE_KEY_PAIR},
      {scheme.generate != nullptr, CKF_GENERATE},
      {scheme.derive != nullptr, CKF_DERIVE},
      {scheme.wraps, CKF_WRAP | CKF_UNWRAP},
      {scheme.messages, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE},
      {scheme.sign != nullptr && scheme.verify != nullptr,
       CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE},
  };
  CK_FLAGS all = 0;
  for (auto [has, flag] : flags) all |= has ? flag : 0;
  for (const OpKindRule& kind : kOpKinds) all |= scheme.*kind.maker != nullptr ? kind.flag : 0;
  return all;
}

}  // namespace

Family FamilyOf(const Object& object) {
  const Kind kind = object.kind;
  if (object.attributes.Bool(CKA_KEYSCOPE_ATTESTATION_KEY)) return Family::Attestation;
  if (kind == kRsaPublic || kind == kRsaPrivate) return Family::Rsa;
  if (kind == kEcPublic || kind == kEcPrivate) return Family::Ec;
  if (kind == kAes) return Family::Aes;
  if (kind == kGeneric) return Family::Generic;
  return Family::None;
}

bool Takes(Family taker, Family key) {
  if (taker == Family::AnySecret) return key == Family::Aes || key == Family::Generic;
  return taker == key;
}

std::span<const MechanismRule> MechanismRules() { return kMechanismRules; }

bool Available(const MechanismRule& rule, const tpm::Facts& facts) {
  const bool pads = rule.scheme->or_padded_rsa && facts.padded_rsa;
  if (rule.scheme->needs_raw_rsa && !facts.raw_rsa && !pads) return false;
  if (rule.family == Family::Rsa) return !facts.rsa_bits.empty();
  if (rule.family == Family::Ec) return !facts.curves.empty();
  return true;
}

const MechanismRule* FindMechanism(CK_MECHANISM_TYPE type) {
  const auto* found = std::ranges::find(kMechanismRules, type, &MechanismRule::type);
  return found == std::end(kMechanismRules) ? nullptr : found;
}

std::vector<CK_MECHANISM_TYPE> ListMechanisms(const tpm::Facts& facts) {
  std::vector<CK_MECHANISM_TYPE> types;
  for (const MechanismRule& rule : kMechanismRules)
    if (Available(rule, facts)) types.push_back(rule.type);
  return types;
}

CK_MECHANISM_INFO InfoOf(const MechanismRule& rule, const tpm::Facts& facts) {
  CK_MECHANISM_INFO info{0, 0, FlagsOf(*rule.scheme)};
  if (rule.family == Family::Rsa) {
    info.ulMinKeySize = facts.rsa_bits.front();
    info.ulMaxKeySize = facts.rsa_bits.back();
    info.flags |= CKF_HW;
  } else if (rule.family == Family::Ec) {
    auto bits = [](tpm::Curve curve) { return crypto::Info(curve).bits; };
    info.ulMinKeySize = bits(*std::ranges::min_element(facts.curves, {}, bits));
    info.ulMaxKeySize = bits(*std::ranges::max_element(facts.curves, {}, bits));
    info.flags |= CKF_HW | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS | CKF_EC_COMPRESS;
  } else if (rule.family == Family::Aes) {
    info.ulMinKeySize = 16;  // bytes
    info.ulMaxKeySize = 32;
  } else if (rule.family == Family::Generic || rule.family == Family::AnySecret) {
    info.ulMinKeySize = 1;  // bytes
    info.ulMaxKeySize = kLargestGenericSecret;
  } else if (rule.family == Family::Attestation) {
    info.ulMinKeySize = facts.only_rsa_aks ? 2048 : 256;  // bits: P-256, and RSA
    info.ulMaxKeySize = 2048;
    info.flags |= CKF_HW;
  }
  return info;
}

namespace {

// Beyond the family: a key for one HMAC does no other, and a public key derives nothing.
bool Serves(const Object& key, const MechanismRule& rule) {
  const auto its_own = HmacHashOf(key.attributes.UlongOr(CKA_KEY_TYPE));
  if (its_own && rule.hash != None && rule.hash != *its_own) return false;
  return (key.kind & kPublic) == 0 || rule.scheme->derive == nullptr;
}

}  // namespace

std::vector<CK_MECHANISM_TYPE> MechanismsFor(const Object& key, const tpm::Facts& facts) {
  std::vector<CK_MECHANISM_TYPE> types;
  for (const MechanismRule& rule : kMechanismRules)
    if (rule.family != Family::None && Takes(rule.family, FamilyOf(key)) &&
        rule.scheme->generate_pair == nullptr && rule.scheme->generate == nullptr &&
        Available(rule, facts) && Serves(key, rule))
      types.push_back(rule.type);
  return types;
}

}  // namespace keyscope::token
