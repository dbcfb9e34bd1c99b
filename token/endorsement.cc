#include "token/endorsement.h"

#include <algorithm>

#include "base/log.h"
#include "p11/keyscope.h"
#include "token/create.h"
#include "token/crypto/certificate.h"
#include "token/crypto/der.h"
#include "token/public_of.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

namespace der = crypto::der;

struct LabelRow {
  tpm::EkType type;
  const char* label;
};
constexpr LabelRow kLabels[] = {
    {tpm::EkType::Rsa, KEYSCOPE_ENDORSEMENT_LABEL " (RSA)"},
    {tpm::EkType::Ec, KEYSCOPE_ENDORSEMENT_LABEL " (EC)"},
    {tpm::EkType::HighRsa2048, KEYSCOPE_ENDORSEMENT_LABEL " (RSA-2048, high range)"},
    {tpm::EkType::HighP256, KEYSCOPE_ENDORSEMENT_LABEL " (P-256, high range)"},
    {tpm::EkType::HighP384, KEYSCOPE_ENDORSEMENT_LABEL " (P-384)"},
    {tpm::EkType::HighP521, KEYSCOPE_ENDORSEMENT_LABEL " (P-521)"},
    {tpm::EkType::HighRsa3072, KEYSCOPE_ENDORSEMENT_LABEL " (RSA-3072)"},
    {tpm::EkType::HighRsa4096, KEYSCOPE_ENDORSEMENT_LABEL " (RSA-4096)"},
};
std::string LabelOf(tpm::EkType type) {
  return std::ranges::find(kLabels, type, &LabelRow::type)->label;
}

Object ReadOnly(AttributeSet attributes, const std::string& label, ByteView itself, Token& token) {
  attributes.SetBool(CKA_KEYSCOPE_ENDORSEMENT, true);
  attributes.Set(CKA_LABEL, AsBytes(label));
  attributes.SetUlong(CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(token.scope()));
  return DeviceObject(std::move(attributes), itself, token.scope());
}

void Identify(AttributeSet& attributes, const tpm::Endorsement& ek) {
  attributes.Set(CKA_ID, ek.name);
  attributes.SetUlong(CKA_KEYSCOPE_NV_INDEX, static_cast<uint32_t>(ek.type));
}

Object KeyOf(const tpm::Endorsement& ek, Token& token) {
  const bool rsa = std::holds_alternative<tpm::RsaPublic>(ek.key);
  AttributeSet attributes;
  attributes.SetUlong(CKA_CLASS, CKO_PUBLIC_KEY);
  attributes.SetUlong(CKA_KEY_TYPE, rsa ? CKK_RSA : CKK_EC);
  // It encrypts credentials, and those in the TPM's own way.
  for (CK_ATTRIBUTE_TYPE use : {CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP})
    attributes.SetBool(use, false);
  attributes.Set(CKA_KEYSCOPE_TPM_PUBLIC, ek.public_area);
  attributes.Set(CKA_KEYSCOPE_TPM_NAME, ek.name);
  Identify(attributes, ek);
  Object object = ReadOnly(std::move(attributes), LabelOf(ek.type), ek.public_area, token);
  SetPublic(object.attributes, object.kind, ek.key);
  return object;
}

// The key in a SubjectPublicKeyInfo. Its algorithm may be told in several ways (RFC 4055).
std::optional<ByteView> KeyBits(ByteView public_key_info) {
  const auto content = der::Only(der::kSequence, public_key_info);
  if (!content) return std::nullopt;
  der::Reader reader(*content);
  if (!reader.Content(der::kSequence)) return std::nullopt;
  return reader.Content(der::kBitString);
}

bool IsFor(ByteView certificate, ByteView public_key_info) {
  const auto fields = crypto::ParseCertificate(certificate);
  const auto certified = fields ? KeyBits(fields->public_key_info) : std::nullopt;
  const auto key = KeyBits(public_key_info);
  return certified && key && Equal(*certified, *key);
}

// Adds the certificate; one that cannot be read is left out. `of`: nullptr for an issuer's, or one
// that is for another key.
void AddCertificate(std::vector<Object>& objects, const Bytes& der, const std::string& label,
                    const tpm::Endorsement* of, Token& token) try {
  AttributeSet attributes;
  attributes.SetUlong(CKA_CLASS, CKO_CERTIFICATE);
  attributes.SetUlong(CKA_CERTIFICATE_TYPE, CKC_X_509);
  attributes.Set(CKA_VALUE, der);
  if (of != nullptr) Identify(attributes, *of);
  Object object = ReadOnly(std::move(attributes), label, der, token);
  CompleteCreated(object, token);
  objects.push_back(std::move(object));
} catch (const Error& error) {
  log::Warn("the certificate '", label, "' is left out: ", error.what());
}

}  // namespace

bool AsksForEndorsements(const AttributeSet& wanted) {
  return wanted.Bool(CKA_KEYSCOPE_ENDORSEMENT) ||
         AsString(wanted.Get(CKA_LABEL)).starts_with(KEYSCOPE_ENDORSEMENT_LABEL);
}

std::vector<Object> EndorsementObjects(Token& token) {
  std::vector<Object> objects;
  for (const tpm::Endorsement& ek : token.backend().Endorsements()) {
    objects.push_back(KeyOf(ek, token));
    if (ek.certificate.empty()) continue;
    const bool agrees = IsFor(ek.certificate, objects.back().attributes.Get(CKA_PUBLIC_KEY_INFO));
    if (!agrees) log::Warn("the certificate '", LabelOf(ek.type), "' is for another key");
    AddCertificate(objects, ek.certificate, LabelOf(ek.type), agrees ? &ek : nullptr, token);
  }
  size_t issuers = 0;
  for (const Bytes& der : token.backend().EndorsementChain())
    AddCertificate(objects, der, KEYSCOPE_ENDORSEMENT_LABEL " issuer " + std::to_string(++issuers),
                   nullptr, token);
  return objects;
}

}  // namespace keyscope::token
