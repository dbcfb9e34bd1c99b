// Attestation: which AK vouches for a new key, and the evidence of its birth (p11/keyscope.h).
#pragma once

#include <memory>

#include "token/object.h"

namespace keyscope::token {

class Token;

// To the templates of an AK, what an AK can be used for: it signs (CKA_SIGN) what the TPM states
// and answers MakeCredential (CKA_DECRYPT), with the vendor's mechanisms only.
// CKR_TEMPLATE_INCONSISTENT when the templates ask for more.
void ImplyUsesOfAk(AttributeSet& public_given, AttributeSet& private_given);
// The same of the private half of an AK that is changed or copied; of other objects nothing.
void ForbidUsesToAk(AttributeSet& attributes);

// How a new private key comes into the TPM.
struct Birth {
  bool of_ak = false;
  std::shared_ptr<const Object> ak;  // that certifies it; nullptr: none
};
// All that can be refused before the TPM works. CKR_TEMPLATE_INCONSISTENT (also for an AK of the
// other slot), CKR_KEYSCOPE_NO_SUCH_AK, CKR_USER_NOT_LOGGED_IN, CKR_KEY_FUNCTION_NOT_PERMITTED,
// CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED.
Birth PlanBirth(const Object& key, const tpm::KeySpec& spec, Token& token);
// Makes the key and writes the evidence into its attributes.
tpm::KeyBlob GiveBirth(const Birth& birth, Object& key, tpm::KeySpec spec, const SecretBytes& auth,
                       Token& token);

}  // namespace keyscope::token
