// What the stores that move hold: made by one build, looked for by the other.
#pragma once

#include <string>
#include <vector>

#include "tests/module/attributes.h"
#include "tests/module/must.h"

namespace keyscope::test {

// A public object: what C_CreateObject is given besides its label, and what else it must then have.
struct Sample {
  const char* label;
  Attributes given, more = {};
};
const std::vector<Sample>& Samples();

// CKA_WRAP_TEMPLATE of the sample "rsa".
inline constexpr CK_ULONG kWrapsOnly[] = {CKO_SECRET_KEY, CKK_AES};
// A key pair made by the TPM that stays behind, and a data object with its signature of this.
inline constexpr char kPair[] = "pair", kSignature[] = "signature", kSigned[] = "what was signed";

// Makes the samples in the user slot's token: for a session in which the user is logged in.
void MakeSamples(CK_SESSION_HANDLE session);

// The one with this label and class; throws when there is not just one.
CK_OBJECT_HANDLE FindSample(CK_SESSION_HANDLE session, const std::string& label,
                            CK_OBJECT_CLASS object_class);

}  // namespace keyscope::test
