// Secret keys: codes, ciphers, key wrapping and derivation. What is valid is also made, not only
// checked.
#include "tests/wycheproof/runners.h"

namespace keyscope::wycheproof {
namespace {

bool Valid(const Json& test) { return test.at("result") == "valid"; }

Answer CheckMac(Module& module, CK_MECHANISM mechanism, CK_KEY_TYPE type, const Json& test) {
  const KeyPtr key = module.ImportSecret(type, Field(test, "key"));
  const Bytes message = Field(test, "msg"), tag = Field(test, "tag");
  const Answer checked = Judge(module.Verify(mechanism, *key, message, tag),
                               {CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE});
  if (!Valid(test) || checked.kind != Answer::Kind::Accepted) return checked;
  const Result made = module.Sign(mechanism, *key, message);
  return Judge(made.rv, {}, made.bytes, tag);
}

// Codes shorter than `whole` bytes go through the mechanism that cuts.
Case Mac(Module& module, CK_MECHANISM_TYPE plain, CK_MECHANISM_TYPE general, CK_KEY_TYPE type,
         size_t whole, const Json& group) {
  CK_MAC_GENERAL_PARAMS size = group.at("tagSize").get<CK_ULONG>() / 8;
  return [&module, plain, general, type, whole, size](const Json& test) mutable {
    return CheckMac(module, size == whole ? Plain(plain) : With(general, size), type, test);
  };
}

constexpr std::pair<const char*, size_t> kHashSizes[] = {
    {"SHA-1", 20},    {"SHA-224", 28},  {"SHA-256", 32},  {"SHA-384", 48},  {"SHA-512", 64},
    {"SHA3-224", 28}, {"SHA3-256", 32}, {"SHA3-384", 48}, {"SHA3-512", 64},
};

size_t SizeOf(const HashMechanisms& hash) {
  for (auto [name, size] : kHashSizes)
    if (std::string_view(name) == hash.name) return size;
  throw std::logic_error("a hash without a size");
}

// Decrypts, and encrypts again what was valid.
Answer CheckCipher(Module& module, CK_MECHANISM mechanism, const Json& test,
                   const Bytes& ciphertext) {
  const KeyPtr key = module.ImportSecret(CKK_AES, Field(test, "key"));
  const Bytes message = Field(test, "msg");
  const Result plain = module.Decrypt(mechanism, *key, ciphertext);
  const Answer decrypted =
      Judge(plain.rv,
            {CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_MECHANISM_PARAM_INVALID},
            plain.bytes, message);
  if (!Valid(test) || decrypted.kind != Answer::Kind::Accepted) return decrypted;
  const Result made = module.Encrypt(mechanism, *key, message);
  return Judge(made.rv, {}, made.bytes, ciphertext);
}

// Unwraps, and wraps again what was valid. A case without a wrapped key has one that cannot be
// wrapped.
Answer CheckWrap(Module& module, CK_MECHANISM mechanism, const Json& test) {
  const KeyPtr key = module.ImportSecret(CKK_AES, Field(test, "key"));
  const Bytes message = Field(test, "msg"), wrapped = Field(test, "ct");
  const Result value = module.Unwrap(mechanism, *key, wrapped);
  const Answer unwrapped =
      Judge(value.rv, {CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE}, value.bytes, message);
  const bool wraps = Valid(test) ? unwrapped.kind == Answer::Kind::Accepted : wrapped.empty();
  if (!wraps || message.empty()) return unwrapped;
  const KeyPtr secret = module.ImportSecret(CKK_GENERIC_SECRET, message);
  const Result made = module.Wrap(mechanism, *key, *secret);
  return Judge(made.rv, {CKR_KEY_SIZE_RANGE, CKR_KEY_NOT_WRAPPABLE}, made.bytes, wrapped);
}

Case Wrap(Module& module, CK_MECHANISM_TYPE type, const std::string& algorithm) {
  module.Need(type, algorithm);
  return [&module, type](const Json& test) { return CheckWrap(module, Plain(type), test); };
}

}  // namespace

Case Hmac(Module& module, const std::string& algorithm, const Json& group) {
  const auto& hash = HashNamed(algorithm.substr(sizeof "HMAC" - 1));
  module.Need(hash.hmac, algorithm);
  return Mac(module, hash.hmac, hash.hmac_general, CKK_GENERIC_SECRET, SizeOf(hash), group);
}

Case AesCmac(Module& module, const std::string& algorithm, const Json& group) {
  module.Need(CKM_AES_CMAC, algorithm);
  return Mac(module, CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, 16, group);
}

Case AesCbcPad(Module& module, const std::string& algorithm, const Json&) {
  module.Need(CKM_AES_CBC_PAD, algorithm);
  return [&module](const Json& test) {
    Bytes iv = Field(test, "iv");
    return CheckCipher(module, {CKM_AES_CBC_PAD, iv.data(), iv.size()}, test, Field(test, "ct"));
  };
}

Case AesGcm(Module& module, const std::string& algorithm, const Json& group) {
  module.Need(CKM_AES_GCM, algorithm);
  return [&module, tag_bits = group.at("tagSize").get<CK_ULONG>()](const Json& test) {
    Bytes iv = Field(test, "iv"), aad = Field(test, "aad");
    GcmParams gcm{iv.data(), iv.size(), 8 * iv.size(), aad.data(), aad.size(), tag_bits};
    return CheckCipher(module, With(CKM_AES_GCM, gcm), test,
                       Concat({Field(test, "ct"), Field(test, "tag")}));
  };
}

Case AesWrap(Module& module, const std::string& algorithm, const Json&) {
  return Wrap(module, CKM_AES_KEY_WRAP, algorithm);
}

Case AesWrapPadded(Module& module, const std::string& algorithm, const Json&) {
  return Wrap(module, CKM_AES_KEY_WRAP_KWP, algorithm);
}

Case Hkdf(Module& module, const std::string& algorithm, const Json&) {
  const auto& hash = HashNamed(algorithm.substr(sizeof "HKDF-" - 1));
  module.Need(CKM_HKDF_DERIVE, algorithm);
  return [&module, &hash](const Json& test) {
    const KeyPtr key = module.ImportSecret(CKK_GENERIC_SECRET, Field(test, "ikm"));
    Bytes salt = Field(test, "salt"), info = Field(test, "info");
    CK_HKDF_PARAMS hkdf{};
    hkdf.bExtract = hkdf.bExpand = CK_TRUE;
    hkdf.prfHashMechanism = hash.digest;
    hkdf.ulSaltType = salt.empty() ? CKF_HKDF_SALT_NULL : CKF_HKDF_SALT_DATA;
    hkdf.pSalt = salt.data();
    hkdf.ulSaltLen = salt.size();
    hkdf.pInfo = info.data();
    hkdf.ulInfoLen = info.size();
    const Result okm = module.Derive(With(CKM_HKDF_DERIVE, hkdf), *key, test.at("size"));
    return Judge(okm.rv, {CKR_KEY_SIZE_RANGE}, okm.bytes, Field(test, "okm"));
  };
}

}  // namespace keyscope::wycheproof
