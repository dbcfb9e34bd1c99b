// PKCS#11 arguments made of fuzz input: templates and mechanisms as a careless or hostile caller
// has them. Pointers and lengths are what a caller may pass without its own memory being the fault:
// real blocks, NULL, and lengths so absurd that no block can be meant.
#pragma once

#include <optional>
#include <vector>

#include "p11/cryptoki.h"
#include "tests/fuzz/input.h"

namespace keyscope::fuzz {

std::vector<CK_ATTRIBUTE> TakeTemplate(Input& in, Arena& arena);

// Any mechanism, often one of the module's, or `type`, with a parameter of its shape or a flat one.
CK_MECHANISM TakeMechanism(Input& in, Arena& arena,
                           std::optional<CK_MECHANISM_TYPE> type = std::nullopt);

// A pointer and a length, for an input.
struct Argument {
  CK_BYTE_PTR data;
  CK_ULONG size;
};
Argument TakeArgument(Input& in, Arena& arena);

}  // namespace keyscope::fuzz
