#include "cli/webauthn.h"

#include "cli/error.h"
#include "cli/tpm_structures.h"

namespace keyscope::cli {
namespace {

// IANA COSE Algorithms: RS256 and ES256, the two that AKs sign with.
int CoseAlgorithm(const TpmSignature& signature) {
  if (signature.hash != kAlgSha256)
    throw Failure("the AK signs with a hash that the tpm format has no algorithm for");
  return signature.scheme == kAlgEcdsa ? -7 : -257;
}

}  // namespace

Bytes WebauthnStatement(const Evidence& evidence) {
  if (evidence.kind != Evidence::Kind::Key)
    throw Failure("only a key's evidence makes a WebAuthn statement");
  if (evidence.certificates.empty())
    throw Failure(
        "the tpm format needs a certificate of the AK: have its CA issue one, and give "
        "it with --chain or store it with `keyscope ak certificate`");
  // The order of keys is CTAP2's canonical one: by length, then by bytes.
  Json statement = Json::object();
  statement["alg"] = CoseAlgorithm(ParseSignature(evidence.key.certify.signature));
  statement["sig"] = Json::binary(evidence.key.certify.signature);
  statement["ver"] = "2.0";
  for (const Bytes& certificate : evidence.certificates)
    statement["x5c"].push_back(Json::binary(certificate));
  statement["pubArea"] = Json::binary(evidence.key.public_area);
  statement["certInfo"] = Json::binary(evidence.key.certify.attest);
  Json object = Json::object();
  object["fmt"] = "tpm";
  object["attStmt"] = std::move(statement);
  return Json::to_cbor(object);
}

}  // namespace keyscope::cli
