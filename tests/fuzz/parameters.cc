// Mechanism parameters: each parser on what its mechanism may be given.
#include "token/parameters.h"

#include "p11/keyscope.h"
#include "tests/fuzz/cryptoki_input.h"

namespace {

using keyscope::tpm::Hash;

// The parsers of flat parameters take anything; the others only what has their own pointers.
constexpr struct {
  CK_MECHANISM_TYPE mechanism;
  void (*parse)(const CK_MECHANISM&);
} kParsers[] = {
    {CKM_SHA256, [](const CK_MECHANISM& m) { keyscope::token::NoParameters(m); }},
    {CKM_RSA_PKCS_PSS, [](const CK_MECHANISM& m) { keyscope::token::PssOf(m, Hash::None, 2048); }},
    {CKM_SHA512_RSA_PKCS_PSS,
     [](const CK_MECHANISM& m) { keyscope::token::PssOf(m, Hash::Sha512, 1024); }},
    {CKM_RSA_PKCS_OAEP, [](const CK_MECHANISM& m) { keyscope::token::OaepOf(m); }},
    {CKM_AES_CBC, [](const CK_MECHANISM& m) { keyscope::token::IvOf(m, 16); }},
    {CKM_AES_KEY_WRAP, [](const CK_MECHANISM& m) { keyscope::token::OptionalIvOf(m, 8); }},
    {CKM_AES_CTR, [](const CK_MECHANISM& m) { keyscope::token::CtrOf(m); }},
    {CKM_AES_GCM, [](const CK_MECHANISM& m) { keyscope::token::GcmOf(m); }},
    {CKM_SHA256_HMAC_GENERAL, [](const CK_MECHANISM& m) { keyscope::token::MacSizeOf(m, 64); }},
    {CKM_ECDH1_DERIVE, [](const CK_MECHANISM& m) { keyscope::token::EcdhOf(m); }},
    {CKM_HKDF_DERIVE, [](const CK_MECHANISM& m) { keyscope::token::HkdfOf(m); }},
    {CKM_KEYSCOPE_CERTIFY, [](const CK_MECHANISM& m) { keyscope::token::CertifiedKeyOf(m); }},
    {CKM_KEYSCOPE_QUOTE, [](const CK_MECHANISM& m) { keyscope::token::QuoteOf(m); }},
    {CKM_KEYSCOPE_ACTIVATE_CREDENTIAL,
     [](const CK_MECHANISM& m) { keyscope::token::EndorsementKeyOf(m); }},
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  keyscope::fuzz::Input in(data, size);
  keyscope::fuzz::Arena arena;
  const auto& parser = in.Pick(std::span(kParsers));
  const CK_MECHANISM mechanism = keyscope::fuzz::TakeMechanism(in, arena, parser.mechanism);
  try {
    parser.parse(mechanism);
  } catch (const keyscope::Error& error) {
    const auto* rv = std::get_if<keyscope::Rv>(&error.cause());
    if (rv == nullptr || rv->value != CKR_MECHANISM_PARAM_INVALID) abort();
  }
  return 0;
}
