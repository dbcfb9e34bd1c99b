#include "tests/wycheproof/runners.h"

namespace keyscope::wycheproof {
namespace {

// Of the several editions of a schema (`_v1`) the beginning of the name is the same.
struct Row {
  const char *schema, *algorithm;  // the beginnings of both
  Runner runner;
};
constexpr Row kRunners[] = {
    {"ecdsa_p1363_verify_schema", "ECDSA", EcdsaP1363},
    {"ecdsa_verify_schema", "ECDSA", EcdsaDer},
    {"rsassa_pkcs1_verify_schema", "RSASSA-PKCS1-v1_5", RsaPkcs1Verify},
    {"rsassa_pkcs1_generate_schema", "RSASSA-PKCS1-v1_5", RsaPkcs1Sign},
    {"rsassa_pss_verify_schema", "RSASSA-PSS", RsaPssVerify},
    {"rsassa_pss_with_parameters_verify_schema", "RSASSA-PSS", RsaPssVerify},
    {"rsaes_pkcs1_decrypt_schema", "RSAES-PKCS1-v1_5", RsaPkcs1Decrypt},
    {"rsaes_oaep_decrypt_schema", "RSAES-OAEP", RsaOaepDecrypt},
    {"ecdh_ecpoint_test_schema", "ECDH", EcdhPoint},
    {"ecdh_test_schema", "ECDH", EcdhAsn},
    {"ecdh_pem_test_schema", "ECDH", EcdhPem},
    {"ecdh_webcrypto_test_schema", "ECDH", EcdhWebcrypto},
    {"mac_test_schema", "HMAC", Hmac},
    {"mac_test_schema", "AES-CMAC", AesCmac},
    {"ind_cpa_test_schema", "AES-CBC-PKCS5", AesCbcPad},
    {"aead_test_schema", "AES-GCM", AesGcm},
    {"keywrap_test_schema", "AES-WRAP", AesWrap},
    {"keywrap_test_schema", "AES-KWP", AesWrapPadded},
    {"hkdf_test_schema", "HKDF-", Hkdf},
};

constexpr HashMechanisms kHashes[] = {
    {"SHA-1", CKM_SHA_1, CKG_MGF1_SHA1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_ECDSA_SHA1,
     CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL},
    {"SHA-224", CKM_SHA224, CKG_MGF1_SHA224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS,
     CKM_ECDSA_SHA224, CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL},
    {"SHA-256", CKM_SHA256, CKG_MGF1_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS,
     CKM_ECDSA_SHA256, CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL},
    {"SHA-384", CKM_SHA384, CKG_MGF1_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS,
     CKM_ECDSA_SHA384, CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL},
    {"SHA-512", CKM_SHA512, CKG_MGF1_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
     CKM_ECDSA_SHA512, CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL},
    {"SHA3-224", CKM_SHA3_224, CKG_MGF1_SHA3_224, CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_224, CKM_SHA3_224_HMAC, CKM_SHA3_224_HMAC_GENERAL},
    {"SHA3-256", CKM_SHA3_256, CKG_MGF1_SHA3_256, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_256, CKM_SHA3_256_HMAC, CKM_SHA3_256_HMAC_GENERAL},
    {"SHA3-384", CKM_SHA3_384, CKG_MGF1_SHA3_384, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_384, CKM_SHA3_384_HMAC, CKM_SHA3_384_HMAC_GENERAL},
    {"SHA3-512", CKM_SHA3_512, CKG_MGF1_SHA3_512, CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_512, CKM_SHA3_512_HMAC, CKM_SHA3_512_HMAC_GENERAL},
};

// HMAC files write SHA-256 as SHA256.
std::string WithoutDashes(std::string name) {
  std::erase(name, '-');
  return name;
}

}  // namespace

Runner FindRunner(const Json& file) {
  const std::string schema = file.at("schema"), algorithm = file.at("algorithm");
  for (const Row& row : kRunners)
    if (schema.starts_with(row.schema) && algorithm.starts_with(row.algorithm)) return row.runner;
  throw Skip("the token has no mechanism for " + algorithm + " as in " + schema);
}

const HashMechanisms& HashNamed(const std::string& name) {
  for (const HashMechanisms& hash : kHashes)
    if (WithoutDashes(hash.name) == WithoutDashes(name)) return hash;
  throw Skip("hash " + name);
}

}  // namespace keyscope::wycheproof
