// RSA private keys: imported, and at work in the TPM.
#include "tests/wycheproof/runners.h"

namespace keyscope::wycheproof {
namespace {

KeyPtr ImportRsaPrivate(Module& module, const Json& group) {
  const Json& key = group.at("privateKey");
  if (key.contains("otherPrimeInfos")) throw Skip("keys with more than two primes");
  Attributes attributes = {{CKA_CLASS, Ulong(CKO_PRIVATE_KEY)},
                           {CKA_KEY_TYPE, Ulong(CKK_RSA)},
                           {CKA_TOKEN, Bool(false)},
                           {CKA_MODULUS, Field(key, "modulus")},
                           {CKA_PUBLIC_EXPONENT, Field(key, "publicExponent")},
                           {CKA_PRIVATE_EXPONENT, Field(key, "privateExponent")}};
  if (key.contains("prime1")) attributes.emplace_back(CKA_PRIME_1, Field(key, "prime1"));
  if (key.contains("prime2")) attributes.emplace_back(CKA_PRIME_2, Field(key, "prime2"));
  try {
    return module.Import(attributes);
  } catch (const KeyRefused& refused) {
    const bool usual = Equal(StripLeadingZeros(Field(key, "publicExponent")), Bytes{1, 0, 1});
    if (usual || refused.rv != CKR_ATTRIBUTE_VALUE_INVALID) throw;
    throw Skip("the TPM has no keys with another public exponent than 65537");
  }
}

Answer Decrypted(const Result& plain, const Json& test) {
  return Judge(plain.rv, {CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE}, plain.bytes,
               Field(test, "msg"));
}

}  // namespace

Case RsaPkcs1Sign(Module& module, const std::string&, const Json& group) {
  const auto& hash = HashNamed(group.at("sha"));
  module.Need(hash.pkcs1, hash.name);
  return [&module, type = hash.pkcs1, key = ImportRsaPrivate(module, group)](const Json& test) {
    const Result signature = module.Sign(Plain(type), *key, Field(test, "msg"));
    return Judge(signature.rv, {}, signature.bytes, Field(test, "sig"));
  };
}

Case RsaPkcs1Decrypt(Module& module, const std::string&, const Json& group) {
  module.Need(CKM_RSA_PKCS, "RSAES-PKCS1-v1_5");
  return [&module, key = ImportRsaPrivate(module, group)](const Json& test) {
    return Decrypted(module.Decrypt(Plain(CKM_RSA_PKCS), *key, Field(test, "ct")), test);
  };
}

Case RsaOaepDecrypt(Module& module, const std::string&, const Json& group) {
  const auto& hash = HashNamed(group.at("sha"));
  const auto& mgf = HashNamed(group.at("mgfSha"));
  module.Need(CKM_RSA_PKCS_OAEP, "RSAES-OAEP");
  return [&module, &hash, &mgf, key = ImportRsaPrivate(module, group)](const Json& test) {
    Bytes label = Field(test, "label");
    CK_RSA_PKCS_OAEP_PARAMS oaep{hash.digest, mgf.mgf, CKZ_DATA_SPECIFIED, label.data(),
                                 label.size()};
    return Decrypted(module.Decrypt(With(CKM_RSA_PKCS_OAEP, oaep), *key, Field(test, "ct")), test);
  };
}

}  // namespace keyscope::wycheproof
