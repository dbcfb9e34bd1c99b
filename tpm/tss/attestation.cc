#include "tpm/tss/attestation.h"

#include "tpm/tss/marshal.h"
#include "tpm/tss/pcr_policy.h"
#include "tpm/tss/root.h"

// Wherever a key and its AK are both made ready the AK comes last, so that it is what stays loaded
// when the TPM has no room for more: the next key wants it again.
namespace keyscope::tpm::tss {

CreatedKey CertifyBirth(Device& device, const Root& root, const KeyRef& ak, const KeyRef& key,
                        const Creation& creation, bool certify, ByteView nonce) {
  CreatedKey made{creation.blob, creation.data, {}, std::nullopt};
  const Object subject = Ready(device, root, key);
  const Object signer = Ready(device, root, ak);
  const Auth auth = device.Begin(nullptr, ak.auth.view(), certify ? Hold::Always : Hold::InBurst);
  made.creation = CertifyCreation(device.channel(), signer, auth, subject, creation, nonce);
  device.End(auth);
  if (certify) made.certification = Certify(device, root, ak, key, nonce);
  return made;
}

Statement Certify(Device& device, const Root& root, const KeyRef& ak, const KeyRef& key,
                  ByteView nonce) {
  const Object subject = Ready(device, root, key);
  const Object signer = Ready(device, root, ak);
  const Auth subject_auth = AuthorizeByValue(device, key);
  const Auth signer_auth = device.BeginOther(subject_auth, ak.auth.view());
  Statement statement =
      Certify(device.channel(), subject, subject_auth, signer, signer_auth, nonce);
  device.End(subject_auth);
  device.End(signer_auth);
  return statement;
}

Statement Quote(Device& device, const Root& root, const KeyRef& ak, const PcrSelection& pcrs,
                ByteView nonce) {
  const TPML_PCR_SELECTION selection = ListOf(pcrs);
  const Object signer = Ready(device, root, ak);
  const Auth auth = device.Begin(nullptr, ak.auth.view(), Hold::InBurst);
  Statement statement = Quote(device.channel(), signer, auth, selection, nonce);
  device.End(auth);

  // Of a bank that is switched off a TPM states nothing, and signs that.
  const TPML_PCR_SELECTION stated = UnmarshalAttest(statement.attest).attested.quote.pcrSelect;
  if (Marshal(stated) != Marshal(selection))
    throw Error(Fault::Unsupported, "the TPM has no such PCR bank, or not all of these PCRs in it");
  return statement;
}

}  // namespace keyscope::tpm::tss
