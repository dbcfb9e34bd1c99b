#include "token/pcr_binding.h"

#include "base/error.h"
#include "p11/keyscope.h"
#include "token/refuse.h"
#include "token/token.h"
#include "tpm/pcr.h"

namespace keyscope::token {
namespace {

[[noreturn]] void RefuseSelection(CK_RV rv, const std::string& why, Where where = Where::Here()) {
  Refuse(rv, "CKA_KEYSCOPE_PCR_SELECTION: " + why, where);
}

}  // namespace

tpm::PcrSelection PcrsAskedFor(const AttributeSet& asked) {
  if (!asked.Has(CKA_KEYSCOPE_PCR_SELECTION)) return {};
  const auto pcrs = tpm::ParsePcrs(AsString(asked.Get(CKA_KEYSCOPE_PCR_SELECTION)));
  if (!pcrs)
    RefuseSelection(
        CKR_ATTRIBUTE_VALUE_INVALID,
        "a bank (sha1, sha256, sha384, sha512) and PCRs of it (0 to 23), such as sha256:0,7");
  if (asked.Bool(CKA_KEYSCOPE_ATTESTATION_KEY))
    RefuseSelection(CKR_TEMPLATE_INCONSISTENT,
                    "an attestation key states PCRs, and is not bound to them");
  return *pcrs;
}

void BindTo(const tpm::PcrSelection& pcrs, Object& key, tpm::KeySpec& spec, Token& token) {
  if (pcrs.pcrs == 0) return;
  try {
    spec.pcrs = token.backend().ReadPcrs(token.RootOfKeys(), pcrs);
  } catch (const Error& error) {
    if (!error.Is(Fault::Unsupported)) throw;
    RefuseSelection(CKR_ATTRIBUTE_VALUE_INVALID, error.what());
  }
  key.attributes.Set(CKA_KEYSCOPE_PCR_SELECTION, AsBytes(tpm::ToText(pcrs)));
  key.attributes.Set(CKA_KEYSCOPE_PCR_VALUES, spec.pcrs.values);
}

tpm::PcrState BindingOf(const Object& key) {
  if (!key.attributes.Has(CKA_KEYSCOPE_PCR_SELECTION)) return {};
  const auto pcrs = tpm::ParsePcrs(AsString(key.attributes.Get(CKA_KEYSCOPE_PCR_SELECTION)));
  if (!pcrs)
    throw Error(Fault::Corrupt,
                "the PCRs that key " + Hex(key.uid) + " is bound to are damaged; delete it");
  return {*pcrs, Copy(key.attributes.Get(CKA_KEYSCOPE_PCR_VALUES))};
}

}  // namespace keyscope::token
