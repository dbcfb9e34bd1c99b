#include "cli/collect.h"

#include "cli/certificates.h"
#include "cli/error.h"
#include "cli/tpm_structures.h"

namespace keyscope::cli {
namespace {

AkEvidence AkPart(const Session& session, CK_OBJECT_HANDLE ak) {
  return {session.GetOr(ak, CKA_KEYSCOPE_TPM_PUBLIC),
          session.GetOr(ak, CKA_KEYSCOPE_CREATION_DATA),
          {session.GetOr(ak, CKA_KEYSCOPE_CREATION_ATTEST),
           session.GetOr(ak, CKA_KEYSCOPE_CREATION_SIGNATURE)}};
}

// The scope of a key in whose creation data the TPM has it. The Platform Crypto Provider puts none
// there, so that nothing proves it.
std::optional<KeyScope> BoundScope(const Session& session, CK_OBJECT_HANDLE key) {
  const Bytes data = session.GetOr(key, CKA_KEYSCOPE_CREATION_DATA);
  if (data.empty() || ParseOutsideInfo(data).empty()) return std::nullopt;
  return session.scope();
}

Evidence Named(const Session& session, CK_OBJECT_HANDLE key, Evidence::Kind kind) {
  Evidence evidence;
  evidence.kind = kind;
  evidence.name = LabelOf(session, key);
  evidence.uri = UriOf(session, key, {});
  evidence.scope = BoundScope(session, key);
  return evidence;
}

void AddAk(const Session& session, CK_OBJECT_HANDLE ak, Evidence& evidence) {
  evidence.ak = AkPart(session, ak);
  evidence.ak_public = evidence.ak.public_area;
  evidence.certificates = CertificatesOf(session, ak);
}

// What CKM_KEYSCOPE_CERTIFY and _QUOTE give: TPM2B_ATTEST, then TPMT_SIGNATURE.
Statement Split(ByteView answer) {
  const size_t attest = SizeOfFirst2b(answer);
  return {Copy(answer.subspan(2, attest - 2)), Copy(answer.subspan(attest))};
}

}  // namespace

Evidence EvidenceOfAk(const Session& session, CK_OBJECT_HANDLE ak) {
  Evidence evidence = Named(session, ak, Evidence::Kind::Ak);
  AddAk(session, ak, evidence);
  return evidence;
}

Evidence EvidenceOfKey(const Session& session, CK_OBJECT_HANDLE key) {
  Evidence evidence = Named(session, key, Evidence::Kind::Key);
  evidence.key = {
      session.GetOr(key, CKA_KEYSCOPE_TPM_PUBLIC),
      session.GetOr(key, CKA_KEYSCOPE_CREATION_DATA),
      {session.GetOr(key, CKA_KEYSCOPE_ATTEST), session.GetOr(key, CKA_KEYSCOPE_SIGNATURE)},
      {session.GetOr(key, CKA_KEYSCOPE_CREATION_ATTEST),
       session.GetOr(key, CKA_KEYSCOPE_CREATION_SIGNATURE)}};
  if (evidence.key.certify.empty() && evidence.key.creation.empty())
    throw Failure("no attestation key vouches for '" + evidence.name +
                  "': make keys with --attest-by to have evidence of them");
  if (const CK_OBJECT_HANDLE ak = AkOf(session, key); ak != CK_INVALID_HANDLE)
    AddAk(session, ak, evidence);
  else
    evidence.ak_public = session.GetOr(key, CKA_KEYSCOPE_AK_PUBLIC);
  return evidence;
}

Evidence Recertify(const Session& session, CK_OBJECT_HANDLE key, ByteView nonce) {
  Evidence evidence = EvidenceOfKey(session, key);
  const CK_OBJECT_HANDLE ak = AkOf(session, key);
  if (ak == CK_INVALID_HANDLE)
    throw Failure("the attestation key of '" + evidence.name +
                  "' has been deleted: only the statement of birth is left (`keyscope key show "
                  "--evidence`)");
  evidence.key.certify =
      Split(session.Sign(CKM_KEYSCOPE_CERTIFY, CK_KEYSCOPE_CERTIFY_PARAMS{key}, ak, nonce));
  return evidence;
}

Evidence Quote(const Session& session, CK_OBJECT_HANDLE ak, CK_MECHANISM_TYPE bank, CK_ULONG pcrs,
               ByteView nonce) {
  Evidence evidence = Named(session, ak, Evidence::Kind::Quote);
  AddAk(session, ak, evidence);
  evidence.quote.quote =
      Split(session.Sign(CKM_KEYSCOPE_QUOTE, CK_KEYSCOPE_QUOTE_PARAMS{bank, pcrs}, ak, nonce));
  return evidence;
}

}  // namespace keyscope::cli
