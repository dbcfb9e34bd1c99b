#include "tests/moved/samples.h"

#include <stdexcept>

namespace keyscope::test {
namespace {

const Bytes kP256Params = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

// The base point of P-256 (SP 800-186), as CKA_EC_POINT.
Bytes BasePoint() {
  return FromHex(
             "044104"
             "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
             "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
      .value();
}

Bytes MechanismsOf(std::initializer_list<CK_MECHANISM_TYPE> types) {
  Bytes list;
  for (CK_MECHANISM_TYPE type : types) Append(list, BytesOf(type));
  return list;
}

CK_OBJECT_HANDLE Create(CK_SESSION_HANDLE session, const char* label, const Attributes& given) {
  Attributes all =
      Attributes{{CKA_TOKEN, true}, {CKA_PRIVATE, false}, {CKA_LABEL, label}}.With(given);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  Must(label, C_CreateObject(session, all.data(), all.size(), &object));
  return object;
}

}  // namespace

const std::vector<Sample>& Samples() {
  static const auto& samples = *new std::vector<Sample>{
      {"data",
       {{CKA_CLASS, CKO_DATA},
        {CKA_APPLICATION, "an application"},
        {CKA_OBJECT_ID, Bytes{6, 3, 0x2a, 3, 4}},
        {CKA_VALUE, "a value"}}},
      {"certificate",
       {{CKA_CLASS, CKO_CERTIFICATE},
        {CKA_CERTIFICATE_TYPE, CKC_X_509},
        {CKA_CERTIFICATE_CATEGORY, 2},       // authority
        {CKA_JAVA_MIDP_SECURITY_DOMAIN, 3},  // third party
        {CKA_NAME_HASH_ALGORITHM, CKM_SHA256},
        {CKA_ID, Bytes{1, 2}},
        {CKA_SUBJECT, Bytes{0x30, 0}},
        {CKA_START_DATE, "20260101"},
        {CKA_URL, "https://example.test/certificate"},
        {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, Bytes(32, 1)},
        {CKA_HASH_OF_ISSUER_PUBLIC_KEY, Bytes(32, 2)}}},
      {"rsa",
       {{CKA_CLASS, CKO_PUBLIC_KEY},
        {CKA_KEY_TYPE, CKK_RSA},
        {CKA_MODULUS, Bytes(256, 0xc3)},
        {CKA_PUBLIC_EXPONENT, Bytes{1, 0, 1}},
        {CKA_WRAP, true},
        {CKA_ALLOWED_MECHANISMS, MechanismsOf({CKM_RSA_PKCS_OAEP, CKM_SHA256_RSA_PKCS})},
        {CKA_WRAP_TEMPLATE, Attributes{{CKA_CLASS, kWrapsOnly[0]}, {CKA_KEY_TYPE, kWrapsOnly[1]}}}},
       {{CKA_MODULUS_BITS, 2048},
        {CKA_LOCAL, false},
        {CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION}}},
      {"ec",
       {{CKA_CLASS, CKO_PUBLIC_KEY},
        {CKA_KEY_TYPE, CKK_EC},
        {CKA_EC_PARAMS, kP256Params},
        {CKA_EC_POINT, BasePoint()}},
       {{CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION}}},
  };
  return samples;
}

void MakeSamples(CK_SESSION_HANDLE session) {
  for (const Sample& sample : Samples()) Create(session, sample.label, sample.given);
  Attributes for_public{{CKA_TOKEN, true}, {CKA_LABEL, kPair}, {CKA_EC_PARAMS, kP256Params}},
      for_private{{CKA_TOKEN, true}, {CKA_LABEL, kPair}};
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;
  Must("C_GenerateKeyPair",
       C_GenerateKeyPair(session, Mechanism(CKM_EC_KEY_PAIR_GEN).get(), for_public.data(),
                         for_public.size(), for_private.data(), for_private.size(), &public_key,
                         &private_key));
  Bytes signature(64);
  CK_ULONG size = 64;
  Must("C_SignInit", C_SignInit(session, Mechanism(CKM_ECDSA_SHA256).get(), private_key));
  Must("C_Sign", C_Sign(session, Mutable(std::string_view(kSigned)), sizeof kSigned - 1,
                        signature.data(), &size));
  Create(session, kSignature, {{CKA_CLASS, CKO_DATA}, {CKA_VALUE, signature}});
}

CK_OBJECT_HANDLE FindSample(CK_SESSION_HANDLE session, const std::string& label,
                            CK_OBJECT_CLASS object_class) {
  Attributes wanted{{CKA_LABEL, label}, {CKA_CLASS, object_class}};
  CK_OBJECT_HANDLE found[2];
  CK_ULONG count = 0;
  Must("C_FindObjectsInit", C_FindObjectsInit(session, wanted.data(), wanted.size()));
  Must("C_FindObjects", C_FindObjects(session, found, 2, &count));
  Must("C_FindObjectsFinal", C_FindObjectsFinal(session));
  if (count != 1) throw std::runtime_error(label + ": found " + std::to_string(count));
  return found[0];
}

}  // namespace keyscope::test
