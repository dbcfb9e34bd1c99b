// The TPM's endorsement keys and their certificates as objects (CKA_KEYSCOPE_ENDORSEMENT).
#pragma once

#include <vector>

#include "token/object.h"

namespace keyscope::token {

class Token;

// Whether a search is to find them: by CKA_KEYSCOPE_ENDORSEMENT, or by their label.
bool AsksForEndorsements(const AttributeSet& wanted);

// Asks the TPM. The objects are read-only, of the token, and public; one for each key, one for each
// certificate that reads.
std::vector<Object> EndorsementObjects(Token& token);

}  // namespace keyscope::token
