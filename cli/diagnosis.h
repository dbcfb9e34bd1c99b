// What `keyscope doctor` looks at, and what it says about it.
#pragma once

#include <string>
#include <vector>

#include "cli/direct.h"

namespace keyscope::cli {

struct Symptom {
  std::string check;  // what was looked at
  bool good = true;
  std::string found;              // what was seen
  std::vector<std::string> mend;  // commands; empty when all is well
};

// The configuration, the device, the TPM (lockout, storage root) and the stores of both scopes, in
// this order. What hangs on something broken is left out. Changes nothing.
std::vector<Symptom> Diagnose(Direct& direct);

}  // namespace keyscope::cli
