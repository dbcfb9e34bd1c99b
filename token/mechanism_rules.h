// The mechanism rules: everything that the module knows about a mechanism, one row each. The table
// drives C_GetMechanismList and C_GetMechanismInfo, init checks, CKA_ALLOWED_MECHANISMS and
// dispatch. A row names a scheme, and a scheme is the functions it has: what no function does
// cannot be advertised. Key sizes and availability come from what the TPM really supports.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "token/object.h"
#include "token/operation.h"
#include "tpm/backend.h"

namespace keyscope::token {

// What sort of key a mechanism takes. Attestation: an AK, whatever its algorithm; it takes part in
// no other family. AnySecret: of mechanisms only, for Aes and Generic alike.
enum class Family : uint8_t { None, Rsa, Ec, Aes, Generic, AnySecret, Attestation };
Family FamilyOf(const Object& object);
// Whether a mechanism of family `taker` takes keys of family `key`.
bool Takes(Family taker, Family key);

class Objects;
struct MechanismRule;

// What an operation is made of.
struct Materials {
  const MechanismRule& rule;
  const CK_MECHANISM& mechanism;
  const Object* object;                    // the key's object; nullptr for a digest
  std::shared_ptr<const tpm::KeyRef> key;  // its secret half: in the TPM, or a secret key's value
  Objects& objects;                        // where a parameter's other key is found
  tpm::Backend& backend;
  std::shared_ptr<const tpm::Root> root;    // with `key` only
  std::shared_ptr<const tpm::Facts> facts;  // with `object` only
};
using Maker = std::unique_ptr<Operation> (*)(const Materials&);

// A template becomes what the TPM is to make. CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE,
// CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID.
using PairSpec = tpm::KeySpec (*)(const AttributeSet& public_attributes, const tpm::Facts& facts);

// The size in bytes of the secret key that a template asks for. CKR_ATTRIBUTE_VALUE_INVALID,
// CKR_KEY_SIZE_RANGE.
using SecretSize = size_t (*)(const AttributeSet& attributes);
// The value of a derived key; `wanted`: bytes, nullopt for as many as the mechanism gives by
// itself.
using Deriver = SecretBytes (*)(const Materials&, std::optional<size_t> wanted);

// The functions of a scheme; nullptr: it does not do that.
struct Scheme {
  Maker digest = nullptr;
  Maker encrypt = nullptr, decrypt = nullptr;
  Maker sign = nullptr, verify = nullptr;
  Maker sign_recover = nullptr, verify_recover = nullptr;
  PairSpec generate_pair = nullptr;
  SecretSize generate = nullptr;
  Deriver derive = nullptr;
  bool messages = false;       // also takes many messages under one key (version 3.0)
  bool wraps = false;          // encrypt and decrypt also wrap and unwrap keys
  bool needs_raw_rsa = false;  // does not work on a TPM without RSA decryption with the null scheme
  bool or_padded_rsa = false;  // unless Facts::padded_rsa: then with what the device pads by itself
};

struct MechanismRule {
  CK_MECHANISM_TYPE type;
  const char* name;
  Family family;
  tpm::Hash hash;  // computed on the host before the key's operation; None: the data are taken as
                   // they are
  const Scheme* scheme;
};

std::span<const MechanismRule> MechanismRules();
const MechanismRule* FindMechanism(CK_MECHANISM_TYPE type);  // nullptr: none of ours
// Whether a TPM can do it. Without a key all can.
bool Available(const MechanismRule& rule, const tpm::Facts& facts);
std::vector<CK_MECHANISM_TYPE> ListMechanisms(const tpm::Facts& facts);
CK_MECHANISM_INFO InfoOf(const MechanismRule& rule, const tpm::Facts& facts);

// What a key can be used with: the value of CKA_ALLOWED_MECHANISMS where none was given.
std::vector<CK_MECHANISM_TYPE> MechanismsFor(const Object& key, const tpm::Facts& facts);

}  // namespace keyscope::token
