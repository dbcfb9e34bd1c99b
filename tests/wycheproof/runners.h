// Which vectors go through which mechanism.
#pragma once

#include <string>

#include "tests/wycheproof/module.h"
#include "tests/wycheproof/vectors.h"

namespace keyscope::wycheproof {

// Makes ready for the cases of a group. Throws Skip, KeyRefused.
using Runner = Case (*)(Module& module, const std::string& algorithm, const Json& group);

// By the file's "schema" and "algorithm". Throws Skip for files that no mechanism serves.
Runner FindRunner(const Json& file);

// The mechanisms of one hash. 0: there is none.
struct HashMechanisms {
  const char* name;  // as the vectors write it
  CK_MECHANISM_TYPE digest;
  CK_RSA_PKCS_MGF_TYPE mgf;
  CK_MECHANISM_TYPE pkcs1, pss, ecdsa, hmac, hmac_general;
};
// Throws Skip for another hash.
const HashMechanisms& HashNamed(const std::string& name);

// signatures.cc
Case EcdsaP1363(Module& module, const std::string& algorithm, const Json& group);
Case EcdsaDer(Module& module, const std::string& algorithm, const Json& group);
Case RsaPkcs1Verify(Module& module, const std::string& algorithm, const Json& group);
Case RsaPssVerify(Module& module, const std::string& algorithm, const Json& group);
// rsa.cc
Case RsaPkcs1Sign(Module& module, const std::string& algorithm, const Json& group);
Case RsaPkcs1Decrypt(Module& module, const std::string& algorithm, const Json& group);
Case RsaOaepDecrypt(Module& module, const std::string& algorithm, const Json& group);
// ecdh.cc
Case EcdhPoint(Module& module, const std::string& algorithm, const Json& group);
Case EcdhAsn(Module& module, const std::string& algorithm, const Json& group);
Case EcdhPem(Module& module, const std::string& algorithm, const Json& group);
Case EcdhWebcrypto(Module& module, const std::string& algorithm, const Json& group);
// secret_keys.cc
Case Hmac(Module& module, const std::string& algorithm, const Json& group);
Case AesCmac(Module& module, const std::string& algorithm, const Json& group);
Case AesCbcPad(Module& module, const std::string& algorithm, const Json& group);
Case AesGcm(Module& module, const std::string& algorithm, const Json& group);
Case AesWrap(Module& module, const std::string& algorithm, const Json& group);
Case AesWrapPadded(Module& module, const std::string& algorithm, const Json& group);
Case Hkdf(Module& module, const std::string& algorithm, const Json& group);

}  // namespace keyscope::wycheproof
