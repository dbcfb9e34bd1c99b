// Keys that are bound to PCRs (CKA_KEYSCOPE_PCR_SELECTION).
#pragma once

#include "token/object.h"

namespace keyscope::token {

class Token;

// The PCRs that a template asks for; none selected when it asks for none.
// CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT.
tpm::PcrSelection PcrsAskedFor(const AttributeSet& asked);
// Binds a key that is about to be made to what these PCRs hold now, if any are selected.
// CKR_ATTRIBUTE_VALUE_INVALID when the TPM does not have them.
void BindTo(const tpm::PcrSelection& pcrs, Object& key, tpm::KeySpec& spec, Token& token);
// What a key is bound to. Fault::Corrupt for a selection that does not decode.
tpm::PcrState BindingOf(const Object& key);

}  // namespace keyscope::token
