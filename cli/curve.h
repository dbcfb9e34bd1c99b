// The curves of keys, under each name that they have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/tpm_structures.h"

namespace keyscope::cli {

struct Curve {
  std::string_view name;  // NIST's, which OpenSSL knows
  uint16_t id;            // TPM_ECC_CURVE
  std::string_view oid;   // CKA_EC_PARAMS, in hexadecimal
  size_t field;           // bytes
};
inline constexpr Curve kCurves[] = {
    {"P-256", kP256, "06082a8648ce3d030107", 32},
    {"P-384", kP384, "06052b81040022", 48},
    {"P-521", kP521, "06052b81040023", 66},
};

}  // namespace keyscope::cli
