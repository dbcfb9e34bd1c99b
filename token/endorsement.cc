#include "token/endorsement.h"

#include "base/log.h"
#include "p11/keyscope.h"
#include "token/create.h"
#include "token/crypto/hash.h"
#include "token/public_of.h"
#include "token/token.h"

namespace keyscope::token {
namespace {

constexpr size_t kUidSize = 16;

// An object that nobody may change; what makes it itself also gives it the same uid each time.
Object ReadOnly(AttributeSet attributes, const tpm::Endorsement& ek, ByteView itself,
                Token& token) {
  Object object;
  object.kind = KindOfTemplate(attributes);
  object.attributes = std::move(attributes);
  object.uid = crypto::Digest(tpm::Hash::Sha256, itself);
  object.uid.resize(kUidSize);
  AttributeSet& to = object.attributes;
  for (CK_ATTRIBUTE_TYPE no :
       {CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE, CKA_TRUSTED})
    to.SetBool(no, false);
  to.SetBool(CKA_TOKEN, true);
  to.SetBool(CKA_KEYSCOPE_ENDORSEMENT, true);
  to.Set(CKA_UNIQUE_ID, AsBytes(Hex(object.uid)));
  to.Set(CKA_ID, ek.name);
  to.Set(CKA_LABEL,
         AsBytes(ek.type == tpm::EkType::Rsa ? "Endorsement key (RSA)" : "Endorsement key (EC)"));
  to.SetUlong(CKA_KEYSCOPE_SCOPE, static_cast<CK_ULONG>(token.scope()));
  AddDefaults(to, object.kind);
  return object;
}

Object KeyOf(const tpm::Endorsement& ek, Token& token) {
  AttributeSet attributes;
  attributes.SetUlong(CKA_CLASS, CKO_PUBLIC_KEY);
  attributes.SetUlong(CKA_KEY_TYPE, ek.type == tpm::EkType::Rsa ? CKK_RSA : CKK_EC);
  // It encrypts credentials, and those in the TPM's own way.
  for (CK_ATTRIBUTE_TYPE use : {CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP})
    attributes.SetBool(use, false);
  attributes.Set(CKA_KEYSCOPE_TPM_PUBLIC, ek.public_area);
  attributes.Set(CKA_KEYSCOPE_TPM_NAME, ek.name);
  Object object = ReadOnly(std::move(attributes), ek, ek.public_area, token);
  SetPublic(object.attributes, object.kind, ek.key);
  return object;
}

Object CertificateOf(const tpm::Endorsement& ek, Token& token) {
  AttributeSet attributes;
  attributes.SetUlong(CKA_CLASS, CKO_CERTIFICATE);
  attributes.SetUlong(CKA_CERTIFICATE_TYPE, CKC_X_509);
  attributes.Set(CKA_VALUE, ek.certificate);
  Object object = ReadOnly(std::move(attributes), ek, ek.certificate, token);
  CompleteCreated(object, token);
  return object;
}

}  // namespace

std::vector<Object> EndorsementObjects(Token& token) {
  std::vector<Object> objects;
  for (const tpm::Endorsement& ek : token.backend().Endorsements()) {
    objects.push_back(KeyOf(ek, token));
    if (ek.certificate.empty()) continue;
    try {
      objects.push_back(CertificateOf(ek, token));
    } catch (const Error& error) {
      log::Warn("the certificate of an endorsement key is left out: ", error.what());
    }
  }
  return objects;
}

}  // namespace keyscope::token
